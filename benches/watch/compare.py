#!/usr/bin/env python3
"""Processor time and memory of one run over unchanged pages, beside other monitors.

Makes pages of about 250 KB (the policy about a fifth of it, the rest scripts, menus and styles),
serves them on 127.0.0.1 without latency or ETag, lets each program see them once, and measures the
runs after that with wait4(): processor seconds of the process and its children, peak memory.

    compare.py --pages 200 --fairnotice target/release/fairnotice \
        --urlwatch VENV/bin/urlwatch --webchanges VENV/bin/webchanges \
        --changedetection VENV/bin/changedetection.io

`--noise` serves another token, menu and script with every answer: the bytes differ each time, the
policy does not. With `--noise scripts` only scripts, styles of tags and facts for programs differ,
as they do on most pages from night to night. The programs are only named where they are installed.
"""

import argparse
import asyncio
import atexit
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

WORDS = (
    "we collect your name address and device data when you open an account to run the service "
    "and keep it secure for as long as the law or this policy allows you can ask us to correct "
    "or delete what we hold and to send you a copy our partners process it only on our behalf "
    "under written terms that protect it at least as well as this notice does"
).split()


def policy(number, words):
    dice = random.Random(number)
    html, section = [f"<h1>Service {number} Privacy Policy</h1>"], 0
    while words > 0:
        section += 1
        html.append(f"<h2>{section}. Part {section} of what we do</h2>")
        for _ in range(dice.randint(2, 5)):
            count = dice.randint(20, 90)
            words -= count
            text = " ".join(dice.choice(WORDS) for _ in range(count))
            html.append(f'<p class="body-{dice.randint(1, 9)}">{text.capitalize()}.</p>')
    return "\n".join(html)


def page(number, size, token, menu_token):
    body = policy(number, 7000)
    chrome = (
        f'<!doctype html><html lang="en"><head><title>Service {number}</title>'
        f'<meta name="csrf" content="{token}"><script nonce="{token}">'
    )
    blob = json.dumps({f"k{i}": f"{token}-{i * 7919 % 100003:x}" for i in range(20)})
    filler = ('{"id":"' + "0123456789abcdef" * 4 + '","flags":[1,0,1],"label":"entry"},') * 2000
    menu = "".join(f'<li><a href="/m/{i}?t={menu_token}">Menu entry {i}</a></li>' for i in range(120))
    rest = max(0, size - len(body) - len(menu) - len(blob) - 400)
    return (
        f"{chrome}window.state={blob};window.list=[{filler[:rest]}];</script></head><body>"
        f"<header><nav><ul>{menu}</ul></nav></header><main>{body}</main>"
        f"<footer><p>Build {menu_token}</p></footer></body></html>"
    ).encode()


class Server:
    """Runs in a process of its own: the peak memory of a measured program begins with that of the
    process that starts it, so that one must be small."""

    def __init__(self, size, noise):
        self.size, self.noise = size, noise
        self.fixed = {}
        self.count = 0
        reading, writing = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            asyncio.run(self.serve(writing))
        self.port = int(os.read(reading, 16))

    async def serve(self, writing):
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0)
        os.write(writing, str(server.sockets[0].getsockname()[1]).encode())
        await server.serve_forever()

    def body(self, number):
        if number not in self.fixed:
            self.fixed[number] = page(number, self.size, "0" * 16, "1" * 16 if self.noise == "scripts" else "0" * 16)
        if not self.noise:
            return self.fixed[number]
        self.count += 1
        return self.fixed[number].replace(b"0" * 16, b"%016x" % (self.count * 2654435761), 200)

    async def talk(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].split(b"?")[0]
                name = path.rsplit(b"/", 1)[1]
                status, body = (b"200 OK", self.body(int(name))) if name.isdigit() else (b"404 No", b"")
                writer.write(
                    b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html; charset=utf-8\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(body) + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def measure(command, folder, env):
    log = open(folder / "log", "ab")
    began = time.time()
    child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **env})
    _, status, usage = os.wait4(child.pid, 0)
    return {
        "cpu": usage.ru_utime + usage.ru_stime,
        "rss": usage.ru_maxrss / 1024,
        "wall": time.time() - began,
        "exit": os.waitstatus_to_exitcode(status),
    }


def fairnotice(program, folder, urls):
    text = (
        '[organisation]\nname = "Bench"\n[fetch]\nallow_addresses = ["127.0.0.0/8"]\n'
        "delay_milliseconds = 0\nretries = 0\n"
    )
    for number, url in enumerate(urls):
        text += f'[[document]]\nid = "p{number}"\nsource = "{url}"\n'
    (folder / "fairnotice.toml").write_text(text)
    return [os.path.abspath(program), "check", "--quiet"], {}


def urlwatch(program, folder, urls):
    text = "---\n".join(f"name: p{n}\nurl: {u}\nfilter:\n  - html2text:\n      method: pyhtml2text\n" for n, u in enumerate(urls))
    (folder / "urls.yaml").write_text(text)
    (folder / "config.yaml").write_text("report:\n  stdout:\n    enabled: true\n")
    return [os.path.abspath(program), "--urls", "urls.yaml", "--config", "config.yaml", "--cache", "cache.db"], {}


def webchanges(program, folder, urls):
    text = "---\n".join(f"name: p{n}\nurl: {u}\nfilter:\n  - html2text:\n" for n, u in enumerate(urls))
    (folder / "jobs.yaml").write_text(text)
    (folder / "config.yaml").write_text("report:\n  stdout:\n    enabled: true\n")
    return [
        os.path.abspath(program), "--jobs", str(folder / "jobs.yaml"), "--config", str(folder / "config.yaml"),
        "--database", str(folder / "snapshots.db"),
    ], {}


def changedetection(program, folder, urls):
    command = [os.path.abspath(program), "-C", "-d", str(folder / "store"), "-b", "-r", "all", "-p", "5099", "-l", "ERROR"]
    marker = folder / "added"
    if not marker.exists():
        marker.write_text("")
        for url in urls:
            command += ["-u", url]
    return command, {"ALLOW_IANA_RESTRICTED_ADDRESSES": "true", "LOGGER_LEVEL": "ERROR"}


TOOLS = {"fairnotice": fairnotice, "urlwatch": urlwatch, "webchanges": webchanges, "changedetection": changedetection}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pages", type=int, default=200)
    arguments.add_argument("--kilobytes", type=int, default=250)
    arguments.add_argument("--runs", type=int, default=3, help="measured runs; the median counts")
    arguments.add_argument("--noise", nargs="?", choices=["all", "scripts"], const="all")
    for tool in TOOLS:
        arguments.add_argument(f"--{tool}")
    options = arguments.parse_args()
    server = Server(options.kilobytes * 1000, options.noise)
    urls = [f"http://127.0.0.1:{server.port}/p/{n}" for n in range(options.pages)]
    atexit.register(os.kill, server.process, signal.SIGTERM)
    print(f"{options.pages} pages of {len(server.body(0)) // 1000} KB{', other bytes each time' if options.noise else ''}")
    for tool, prepare in TOOLS.items():
        program = getattr(options, tool)
        if not program:
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            first = measure(*(lambda c, e: (c, folder, e))(*prepare(program, folder, urls)))
            runs = [measure(*(lambda c, e: (c, folder, e))(*prepare(program, folder, urls))) for _ in range(options.runs)]
            runs.sort(key=lambda run: run["cpu"])
            run = runs[len(runs) // 2]
            exits = sorted({first["exit"], *(r["exit"] for r in runs)})
            print(
                f"{tool:16} first {first['cpu']:7.2f} s {first['rss']:6.0f} MB | unchanged {run['cpu']:7.2f} s, "
                f"{1000 * run['cpu'] / options.pages:7.2f} ms a page, {run['rss']:6.0f} MB, {run['wall']:6.1f} s wall, exit {exits}",
                flush=True,
            )
            if any(exits):
                sys.stdout.write((folder / "log").read_text(errors="replace")[-1500:] + "\n")


main()
