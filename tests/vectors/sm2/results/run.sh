#!/bin/sh
# Scores every implementation that is here and keeps the results; python docs/generate.py then makes docs/conformance.md anew.
# From the checkout: sh tests/vectors/sm2/results/run.sh. TONGBAN_NODE_MODULES names a folder that holds sm-crypto.
set -u
score() { # RESULT ADAPTER
    python -m tests.vectors.sm2.score --adapter "$2" --out "tests/vectors/sm2/results/$1.json" >/dev/null || [ $? -eq 1 ]
}
score tongban-libcrypto "tongban libcrypto:"
score tongban-tables "tongban tables:"
score tongban-pure "tongban pure:?sign=allow"
score openssl "openssl"
score bouncycastle "foreign bouncycastle"
score gmssl "gmssl"
score gmalg "gmalg"
score sm-crypto "foreign sm-crypto"
