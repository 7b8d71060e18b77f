# What nixpy generates is no part of the package.
{ }
