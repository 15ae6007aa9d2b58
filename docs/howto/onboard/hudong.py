"""湖东市综合窗口系统（虚构）：一个没见过通办网关的平台，只用 aiohttp 和标准库。A platform that has never heard of the gateway.

    python hudong.py --secret FILE --listen HOST:PORT [--gateway URL --submit application.json]

It signs with HMAC-SM3 over the request's lines, hands one case in, and takes notices at /notify, once each.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import re
import secrets
import time
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

PAPER = b"""%PDF-1.4
1 0 obj
<< /Type /Catalog /Pages 2 0 R >>
endobj
2 0 obj
<< /Type /Pages /Kids [3 0 R] /Count 1 >>
endobj
3 0 obj
<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>
endobj
trailer
<< /Size 4 /Root 1 0 R >>
%%EOF
"""


def signature(secret, method, host, path, query, headers, body, app, moment, nonce):
    covered = [f"{name}:{headers[name]}" if headers.get(name) else name for name in ("content-type", "content-range")]
    digest = hashlib.new("sm3", body).hexdigest()
    lines = ["HUDONG-1", method, host, path, query, *covered, digest, app, moment, nonce]
    return hmac.new(secret, "\n".join(lines).encode(), "sm3").hexdigest()


class Hall:
    def __init__(self, secret):
        self.secret, self.notices, self.nonces = secret, {}, set()

    def known(self, request, body):
        """Whether the gateway signed this, lately, and for the first time."""
        shown = [request.headers.get(f"x-hd-{name}", "") for name in ("app", "time", "nonce", "sign")]
        app, moment, nonce, sign = shown
        path, _, query = request.raw_path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        good = signature(self.secret, request.method, headers["host"], path, query, headers, body, app, moment, nonce)
        fresh = re.fullmatch("[0-9]{10}", moment) and abs(time.time() - int(moment)) < 300 and nonce not in self.nonces
        if app != "tongban" or not fresh or not hmac.compare_digest(sign.encode(), good.encode()):
            return False
        self.nonces.add(nonce)
        return True

    async def notify(self, request):
        body = await request.read()
        if not self.known(request, body):
            return web.json_response({"ret": "401", "msg": "签名不符"}, status=401)
        try:
            notice = json.loads(body)
            key = notice["msgId"]
        except (ValueError, KeyError, TypeError):
            return web.json_response({"ret": "400", "msg": "报文不符"}, status=400)
        again = key in self.notices
        number = self.notices.setdefault(key, f"HDN{len(self.notices) + 1:04d}")
        if not again:
            print(json.dumps({"notice": notice["event"], "case": notice["caseNo"]}), flush=True)
        return web.json_response({"ret": "1" if again else "0", "no": number})

    async def asked(self, request):
        if not self.known(request, b""):
            return web.json_response({"ret": "401", "msg": "签名不符"}, status=401)
        number = self.notices.get(request.match_info["id"])
        return web.json_response(
            {"ret": "0", "no": number} if number else {"ret": "404"}, status=200 if number else 404
        )

    async def call(self, method, url, body, headers):
        """One signed request to the gateway."""
        place, moment, nonce = urlsplit(url), str(int(time.time())), secrets.token_hex(16)
        sign = signature(self.secret, method, place.netloc, place.path, "", headers, body, "hudong", moment, nonce)
        shown = {**headers, "x-hd-app": "hudong", "x-hd-time": moment, "x-hd-nonce": nonce, "x-hd-sign": sign}
        async with aiohttp.ClientSession() as session, session.request(method, url, data=body, headers=shown) as answer:
            return answer.status, await answer.text()

    async def submit(self, gateway, file):
        """The material first, then the case that names it."""
        message, digest = json.loads(Path(file).read_bytes()), hashlib.new("sm3", PAPER).hexdigest()
        message["files"][0] |= {"digest": digest, "bytes": len(PAPER)}
        headers = {"content-type": "application/pdf", "content-range": f"bytes 0-{len(PAPER) - 1}/{len(PAPER)}"}
        await self.call("PUT", f"{gateway}/platform/v1/materials/{digest}", PAPER, headers)
        body = json.dumps(message, ensure_ascii=False).encode()
        status, said = await self.call(
            "POST", f"{gateway}/platform/v1/cases", body, {"content-type": "application/json"}
        )
        print(json.dumps({"submitted": status, "said": json.loads(said)}, ensure_ascii=False), flush=True)


async def main():
    given = argparse.ArgumentParser()
    for name in ("secret", "listen", "gateway", "submit"):
        given.add_argument(f"--{name}", default="")
    given = given.parse_args()
    hall = Hall(Path(given.secret).read_bytes().strip())
    app = web.Application()
    app.add_routes([web.post("/notify", hall.notify), web.get("/notify/{id}", hall.asked)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    host, _, port = given.listen.rpartition(":")
    await web.TCPSite(runner, host, int(port)).start()
    print(json.dumps({"ready": f"http://{host}:{runner.addresses[0][1]}"}), flush=True)
    if given.submit:
        await hall.submit(given.gateway, given.submit)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
