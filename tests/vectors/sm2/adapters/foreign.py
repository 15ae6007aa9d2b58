"""``foreign bouncycastle`` and ``foreign sm-crypto``: Java and node through the line clients of tests/contract.

Where they are found: ``TONGBAN_BCPROV_JAR`` (Debian's place by default), ``TONGBAN_NODE_MODULES`` (a folder with sm-crypto).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.vectors.sm2.adapters.serving import UNSUPPORTED, Answer, serve, unwrap

CONTRACT = Path(__file__).resolve().parents[3] / "contract"
JAR = os.environ.get("TONGBAN_BCPROV_JAR", "/usr/share/java/bcprov.jar")
MODES = {"c1c3c2": "1", "c1c2c3": "0"}


class Client:
    """One request per line, fields in hex; an answer that starts with ``error`` is an exception of the other side."""

    def __init__(self, *command: str, **environment: str) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )

    def ask(self, *fields: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(" ".join(field or "-" for field in fields) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if answer.startswith("error") or not answer:
            raise RuntimeError(answer)
        return answer


def opened(answer: str) -> Answer:
    """A plaintext in hex; what cannot be opened comes as false or as nothing."""
    return {"msg": answer} if answer not in ("false", "-") else False


def bouncycastle() -> None:
    client = Client("java", "-Xshare:auto", "-cp", JAR, str(CONTRACT / "java" / "Sm2Tool.java"))

    def verify(encoding: str, publicKeyDer: str, id: str, msg: str, sig: str, **_: str) -> Answer:
        return client.ask("verify", encoding, publicKeyDer, id, msg, sig) == "true"

    def decrypt(form: str, privateKeyDer: str, ct: str, **_: str) -> Answer:
        return UNSUPPORTED if form == "der" else opened(client.ask("decrypt", privateKeyDer, ct, MODES[form]))

    def key(act: str, label: str, pem: str) -> Answer:
        data = unwrap(pem, label)
        if data is None:
            return UNSUPPORTED
        point = client.ask(act, data.hex())
        return {"publicKey": point} if point != "false" else False

    acts = {
        "verify": verify,
        "decrypt": decrypt,
        "private-key": lambda pem: key("private-key", "PRIVATE KEY", pem),
        "public-key": lambda pem: key("public-key", "PUBLIC KEY", pem),
    }
    serve(f"BouncyCastle {client.ask('version')}", acts)


def sm_crypto() -> None:
    modules = os.environ["TONGBAN_NODE_MODULES"]
    client = Client("node", str(CONTRACT / "node" / "sm2.js"), NODE_PATH=modules)

    def verify(encoding: str, publicKey: str, id: str, msg: str, sig: str, **_: str) -> Answer:
        try:
            bytes.fromhex(id).decode()
        except UnicodeDecodeError:
            return UNSUPPORTED  # ids are strings there
        return client.ask("verify", encoding, publicKey, id, msg, sig) == "true"

    def decrypt(form: str, privateKey: str, ct: str, **_: str) -> Answer:
        """Its ciphertexts have no 04 in front, so one that is there is taken off as every caller has to."""
        if form == "der":
            return UNSUPPORTED
        return opened(client.ask("decrypt", privateKey, ct.removeprefix("04"), MODES[form]))

    version = json.loads((Path(modules) / "sm-crypto" / "package.json").read_text())["version"]
    serve(f"sm-crypto {version} (npm)", {"verify": verify, "decrypt": decrypt})


if __name__ == "__main__":
    {"bouncycastle": bouncycastle, "sm-crypto": sm_crypto}[sys.argv[1]]()
