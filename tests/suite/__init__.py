"""How the tests of nixpy run: their markers, their groups, their outcomes, and what several processes share."""
