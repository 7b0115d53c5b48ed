"""Python, Node and Go packages, fetched once through their ordinary clients and kept beside what cargo builds."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from jvm import cache


def kept(kind, *parts):
    """The directory that belongs to exactly these parts (texts, or files by their content)."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else str(part).encode())
        digest.update(b"\0")
    return cache() / f"{kind}-{digest.hexdigest()[:16]}"


def made(directory, make):
    """Calls `make(directory)` unless it has been carried out whole before."""
    stamp = directory / ".whole"
    if not stamp.exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        make(directory)
        stamp.touch()
    return directory


def call(command, **options):
    command = [str(word) for word in command]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])} ... ended with code {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def python(*requirements):
    """The interpreter of an environment with these packages."""

    def make(directory):
        call([sys.executable, "-m", "venv", directory])
        call([directory / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", *requirements])

    return made(kept("python", sys.version, *requirements), make) / "bin" / "python"


def python_source(requirement):
    """The unpacked source distribution of `name==version`, and nothing of what it depends on."""

    def make(directory):
        options = ["--no-deps", "--no-binary", ":all:", "--dest", directory]
        call([sys.executable, "-m", "pip", "download", "--disable-pip-version-check", *options, requirement])
        archive = next(path for path in directory.iterdir() if path.suffix == ".gz")
        call(["tar", "--extract", "--file", archive, "--directory", directory, "--strip-components=1"])

    return made(kept("python-source", requirement), make)


def node(directory):
    """A copy of `directory` with the packages that its lock file names."""

    def make(copy):
        for path in directory.iterdir():
            if path.is_file():
                shutil.copy(path, copy)
        call(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=copy)

    return made(kept("node", *sorted(path for path in directory.iterdir() if path.is_file())), make)


def go_program(directory):
    """The program in `directory`, built."""
    sources = sorted(path for path in directory.iterdir() if path.suffix in (".go", ".mod", ".sum"))
    made_in = made(
        kept("go", directory.name, *sources),
        lambda build: call(["go", "build", "-o", build / "program", "."], cwd=directory),
    )
    return made_in / "program"


def go_install(path, version):
    """The directory with the program that a Go module holds, built."""

    def make(directory):
        call(["go", "install", f"{path}@{version}"], env={**os.environ, "GOBIN": str(directory)})

    return made(kept("go-install", path, version), make)


def go_module(path, version):
    """The source of a Go module, as a directory that can be written to."""

    def make(directory):
        environment = {**os.environ, "GOFLAGS": "-modcacherw"}
        (directory / "go.mod").write_text("module source\n")
        found = call(["go", "mod", "download", "-json", f"{path}@{version}"], cwd=directory, env=environment)
        source = next(line.split('"')[3] for line in found.splitlines() if '"Dir":' in line)
        shutil.copytree(source, directory / "source", copy_function=shutil.copy)
        for copied in [directory / "source", *(directory / "source").rglob("*")]:
            copied.chmod(copied.stat().st_mode | 0o200)

    return made(kept("go-module", path, version), make) / "source"
