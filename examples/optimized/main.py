"""Times a loop of plain Python."""

import timeit

print(f"{timeit.timeit('sum(i * i for i in range(1000))', number=1000):.2f} s")
