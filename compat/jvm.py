"""Java programs out of Maven packages: a pom.xml names them, Maven fetches them, `java` runs them."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def cache():
    """Where fetched and built things are kept between runs: beside what cargo builds."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    path = target / "compat"
    path.mkdir(parents=True, exist_ok=True)
    return path


def missing():
    """What this machine lacks to run Java programs, or None."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            return f"no {program} on this machine"
    return None


def class_path(pom, **properties):
    """The class path of `pom`; its properties (`kafka_version="3.9.1"` for `kafka.version`) can be set anew."""
    settings = [f"-D{name.replace('_', '.')}={value}" for name, value in sorted(properties.items())]
    key = hashlib.sha256("\n".join([Path(pom).read_text(), *settings]).encode()).hexdigest()[:16]
    kept = cache() / f"class-path-{key}"
    if kept.exists() and all(Path(jar).exists() for jar in kept.read_text().split(":")):
        return kept.read_text()
    found = kept.with_suffix(f".{os.getpid()}")
    command = ["mvn", "--quiet", "--batch-mode", "--file", pom, *settings]
    command += ["dependency:build-classpath", f"-Dmdep.outputFile={found}"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"Maven could not fetch {pom}:\n{done.stdout}")
    found.rename(kept)
    return kept.read_text()
