# /// script
# dependencies = ["pygame-ce"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window, with sound and OpenGL."""

import pygame

pygame.init()
screen = pygame.display.set_mode((64, 64))
screen.fill("red")
pygame.display.flip()
pygame.mixer.init()
pygame.mixer.Sound(buffer=bytes(44100)).play()
pygame.event.pump()
pygame.display.set_mode((64, 64), pygame.OPENGL | pygame.DOUBLEBUF)
pygame.display.flip()
pygame.quit()
