"""What `pelton submit` puts beside a PySpark script, so that it runs unchanged.

`python -m pelton SCRIPT [ARGS...]` runs a script as `python SCRIPT [ARGS...]` does, after `session` has taught PySpark's
Spark Connect client the words of classic Spark that streams need: `context` holds them. Only PySpark and the standard
library are used. The package is a part of the binary and nothing to install.
"""
