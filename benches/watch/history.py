#!/usr/bin/env python3
"""Importing and judging a whole history beside `git log -p --word-diff` over the same.

Makes a Git repository with one policy of many versions (each changes one to six sentences, or the
share of them that --edits names; now and then a section comes, goes or moves), or takes one that is
there, and measures both with wait4().

    history.py --fairnotice target/release/fairnotice [--versions 1000] [--words 6000] [--edits 0.05]
    history.py --fairnotice target/release/fairnotice --repository REPO --path FILE
"""

import argparse
import os
import pathlib
import random
import subprocess
import tempfile
import time

VERBS = "collect use store share disclose process transfer keep combine analyse".split()
DATA = (
    "your name|your e-mail address|your location|your payment details|your contacts|the pages you open|"
    "information about your device|messages you send|photos you upload|your telephone number"
).split("|")
WHY = (
    "to run the service|to keep your account secure|to answer your questions|for advertising|"
    "to comply with the law|with your consent|to improve what we offer|for research|to bill you"
).split("|")
WHO = "our partners|service providers|advertisers|our affiliates|public authorities|other users".split("|")


def sentence(dice):
    modal = dice.choice(["We ", "We may ", "We will not ", "We "])
    text = f"{modal}{dice.choice(VERBS)} {dice.choice(DATA)} {dice.choice(WHY)}"
    if dice.random() < 0.4:
        text += f", together with {dice.choice(WHO)}"
    if dice.random() < 0.3:
        text += f", for at most {dice.choice([14, 30, 60, 90, 365])} days"
    return text + "."


def section(dice):
    return [" ".join(sentence(dice) for _ in range(dice.randint(2, 5))) for _ in range(dice.randint(2, 5))]


def render(sections):
    lines = ["# Meadow Privacy Policy", ""]
    for number, paragraphs in enumerate(sections, 1):
        lines += [f"## {number}. Part {paragraphs[0].split()[2]} {paragraphs[0].split()[-1].strip('.')}", ""]
        for paragraph in paragraphs:
            lines += [paragraph, ""]
    return "\n".join(lines)


def make(folder, versions, words, share=None):
    dice = random.Random(1)
    sections = []
    while len(render(sections).split()) < words:
        sections.append(section(dice))
    stream = []
    for version in range(versions):
        if version:
            edits = dice.randint(1, 6)
            if share is not None:
                edits = max(1, round(share * sum(p.count(". ") + 1 for s in sections for p in s)))
            for _ in range(edits):
                paragraphs = dice.choice(sections)
                at = dice.randrange(len(paragraphs))
                sentences = paragraphs[at].split(". ")
                sentences[dice.randrange(len(sentences))] = sentence(dice).rstrip(".")
                paragraphs[at] = ". ".join(sentences).rstrip(".") + "."
            what = dice.random()
            if what < 0.05:
                sections.insert(dice.randrange(len(sections)), section(dice))
            elif what < 0.08 and len(sections) > 10:
                sections.pop(dice.randrange(len(sections)))
            elif what < 0.12:
                sections.insert(dice.randrange(len(sections)), sections.pop(dice.randrange(len(sections))))
        text = render(sections).encode()
        when = 1500000000 + version * 86400
        stream.append(
            b"commit refs/heads/main\ncommitter A <a@meadow.example> %d +0000\ndata 1\nv\nM 100644 inline policy.md\ndata %d\n"
            % (when, len(text)) + text + b"\n"
        )
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    subprocess.run(["git", "-C", folder, "fast-import", "--quiet"], input=b"".join(stream), check=True)
    subprocess.run(["git", "-C", folder, "checkout", "-qf", "main"], check=True)
    return len(text)


def measure(command, cwd):
    began = time.time()
    with open(os.devnull, "wb") as nothing:
        child = subprocess.Popen(command, cwd=cwd, stdout=nothing)
        _, status, usage = os.wait4(child.pid, 0)
    return usage.ru_utime + usage.ru_stime, time.time() - began, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--fairnotice", required=True)
    arguments.add_argument("--versions", type=int, default=1000)
    arguments.add_argument("--words", type=int, default=6000)
    arguments.add_argument("--edits", type=float, help="share of the sentences that each version changes")
    arguments.add_argument("--repository")
    arguments.add_argument("--path")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        repository, path = options.repository, options.path
        if not repository:
            repository, path = os.path.join(name, "repository"), "policy.md"
            size = make(repository, options.versions, options.words, options.edits)
            print(f"{options.versions} versions, the last of {size // 1000} KB")
        workspace = pathlib.Path(name) / "workspace"
        workspace.mkdir()
        (workspace / "fairnotice.toml").write_text("")
        program = os.path.abspath(options.fairnotice)
        first = None
        for what, command, cwd in [
            ("git log -p --word-diff", ["git", "-C", repository, "log", "-p", "--word-diff", "--", path], name),
            ("fairnotice import git", [program, "import", "git", repository, path, "--id", "meadow"], workspace),
        ]:
            cpu, wall, rss, code = measure(command, cwd)
            first = first or (cpu, wall)
            print(
                f"{what:24} {cpu:7.2f} s processor ({cpu / first[0]:.1f}), {wall:7.2f} s wall ({wall / first[1]:.1f}), "
                f"{rss:5.0f} MB, exit {code}",
                flush=True,
            )


main()
