#!/usr/bin/env python3
"""Runs the commands of docs/operations.md, in their order, with the page's script; `# exit code N` behind one is its.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import os
import re
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import TOP, CliWorld, run_all  # noqa: E402


class Operations(CliWorld):
    def test_each_command_of_the_page(self):
        page = (TOP / "docs/operations.md").read_text()
        self.write("order.lua", re.search(r"^```lua\n(.*?)^```", page, re.M | re.S)[1])
        commands = [line for block in re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S) for line in block.splitlines()]
        self.assertGreater(len(commands), 8)
        for line in commands:
            told = re.search(r"# exit code (\d+)", line)
            words = shlex.split(line, comments=True)
            self.assertEqual(words[0], "perilune")
            result = self.perilune(*words[1:])
            self.assertEqual(result.code, int(told[1]) if told else 0, f"{line}\n{result.out}{result.err}")
        acts = [a["act"] for a in self.perilune("audit", "--json").json()]
        self.assertEqual(acts, ["skip", "rollback", "fork", "fork"])


if __name__ == "__main__":
    run_all()
