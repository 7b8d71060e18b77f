"""Two lock files written by hand, with a little of everything that the formats allow."""

UV_LOCK = (
    """\
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "leaf"
version = "1.0"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://index.example/leaf-1.0.tar.gz", hash = "sha256:00", size = 1 }
wheels = [
    { url = "https://user:secret@index.example/leaf-1.0%2Bx-py3-none-any.whl?x=1#y", hash = "sha256:AB", size = 7 },
    { path = "down/leaf-1.0-1-py3-none-any.whl", hash = "md5:cd" },
]

[[package]]
name = "tree"
version = "0.5"
source = { git = "https://git.example/tree?rev=main#0123" }

[[package]]
name = "root"
version = "0.1"
source = { editable = "." }
dependencies = [{ name = "leaf" }]

[package.optional-dependencies]
more = [{ name = "tree" }]

[package.dev-dependencies]
dev = [{ name = "tree" }]
lint = []

[package.metadata]
requires-dist = [
    { name = "leaf", marker = "python_full_version >= '3.11'", specifier = ">=1,<3" },
    { name = "tree", marker = "sys_platform == 'linux' and extra == 'more'", git = "https://git.example/tree" },
    { name = "root", extras = ["more"], marker = "extra == 'all'" },
]
provides-extras = ["more", "empty", "all"]

[package.metadata.requires-dev]
dev = [{ name = "tree", specifier = "==0.5" }]
lint = []
""".replace("sha256:00", "sha256:" + 32 * "00")
    .replace("sha256:AB", "sha256:" + 32 * "AB")
    .replace("md5:cd", "md5:" + 16 * "cd")
    .replace("#0123", "#" + 10 * "0123")
)

PYLOCK = """\
lock-version = "1.0"
created-by = "hand"
requires-python = ">=3.11"
environments = ["sys_platform == 'linux'", "sys_platform == 'darwin'"]
extras = ["fast", "slow"]
dependency-groups = ["dev", "docs"]
default-groups = ["dev", "main"]

[[packages]]
name = "always"
version = "1.0"
sdist = { url = "https://index.example/always-1.0.tar.gz", hashes = { sha256 = "11" } }
wheels = [
  { url = "https://index.example/always-1.0-cp311-cp311-linux_x86_64.whl", size = 9, hashes = { sha256 = "AA" } },
  { name = "always-1.0-py3-none-any.whl", url = "https://index.example/get?file=2", hashes = { md5 = "bb" } },
]

[[packages]]
name = "accel"
version = "2.0+cu130"
marker = "'fast' in extras and sys_platform == 'linux'"
wheels = [{ url = "https://index.example/accel-2.0%2Bcu130-py3-none-any.whl", hashes = { sha256 = "cc" } }]

[[packages]]
name = "accel"
version = "1.0"
marker = "'slow' in extras and 'fast' not in extras or 'fast' in extras and sys_platform != 'linux'"
wheels = [{ path = "wheels/accel-1.0-py3-none-any.whl", hashes = { sha256 = "dd" } }]

[[packages]]
name = "linter"
version = "1"
marker = "'dev' in dependency_groups or 'docs' in dependency_groups and python_version >= '3.13'"
wheels = [{ url = "https://index.example/linter-1-py3-none-any.whl", hashes = { sha256 = "ee" } }]

[[packages]]
name = "project-own"
marker = "'main' in dependency_groups"
wheels = [{ url = "file:///srv/with%20space/project_own-3-py3-none-any.whl", hashes = { sha256 = "ff" } }]

[[packages]]
name = "by-address"
archive = { url = "https://index.example/by_address-1.0-py3-none-any.whl#x", hashes = { sha256 = "12" } }

[[packages]]
name = "by-path"
archive = { path = "down/by_path-1.0.tar.gz", hashes = { sha256 = "13" } }

[[packages]]
name = "from-git"
vcs = { type = "git", url = "https://git.example/x", commit-id = "0123" }

[[packages]]
name = "itself"
directory = { path = "." }

[[packages]]
name = "beside"
directory = { path = "../beside", editable = true }

[[packages]]
name = "vendored"
directory = { path = "vendored" }
"""
