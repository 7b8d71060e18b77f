# /// script
# dependencies = ["pygame"]
# [tool.trace]
# kind = "window"
# ///
"""Open a window with a text, with sound."""

import pygame

pygame.init()
screen = pygame.display.set_mode((64, 64))
screen.blit(pygame.font.Font(None, 12).render("hello", True, "red"), (0, 0))
pygame.display.flip()
pygame.mixer.init()
pygame.mixer.Sound(buffer=bytes(44100)).play()
pygame.quit()
