"""Models as ONNX graphs, run by ONNX Runtime: each answers as the model does that it was written from.

    python compat/onnx_graphs.py

builds `crates/ml/examples/export_onnx`, which writes one graph for each kind of model that ONNX has words for, with
rows and the model's own answers, and fetches ONNX Runtime. Probabilities and numbers may differ by 1e-9 of their size,
classes and clusters not at all. The exit code says whether they do.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("onnx==1.23.2", "onnxruntime==1.31.1", "numpy==2.4.6")
CLOSE = 1e-9


def compared(place):
    """Runs where the packages are: prints a line per graph, and says whether all agree."""
    import numpy
    import onnx
    import onnxruntime

    good = True
    for path in sorted(Path(place).glob("*.onnx")):
        onnx.checker.check_model(str(path), full_check=True)
        told = json.loads(path.with_suffix(".json").read_text())
        rows = numpy.array([[float("nan") if x is None else x for x in row] for row in told["rows"]])
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(names, {"features": rows}), strict=True))
        words = []
        for name, answers in told["answers"].items():
            if name in ("label", "cluster"):
                different = sum(one != other for one, other in zip(found[name].tolist(), answers, strict=True))
                words.append(f"{name}: {different} of {len(answers)} differ")
                good &= different == 0
            else:
                answers = numpy.array(answers)
                apart = float(numpy.max(numpy.abs(found[name] - answers) / numpy.maximum(1, numpy.abs(answers))))
                words.append(f"{name}: {apart:.0e} apart")
                good &= apart <= CLOSE
        print(f"{path.stem:18} {'; '.join(words)}")
    return good


def main():
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import packages

    with tempfile.TemporaryDirectory() as place:
        command = ["cargo", "run", "--locked", "--package", "ml", "--example", "export_onnx", "--", place]
        subprocess.run(command, cwd=ROOT, check=True)
        sys.exit(subprocess.run([packages.python(*PACKAGES), __file__, place], check=False).returncode)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(not compared(sys.argv[1]))
    main()
