

def _look_elsewhere(name, look=find_library):
    return look(name)


def find_library(name):
    """Return the file name of a library, as dlopen takes it."""
    import glob

    found = sorted(glob.glob(f"@libraries@/lib/lib{glob.escape(name)}.so*"))
    return os.path.basename(found[0]) if found else _look_elsewhere(name)
