#!/usr/bin/env python3
"""perilune show --graph, --trace and --report: the same run as a picture, as times and summed up.

Drives $PERILUNE, else build/release/perilune. The last line is `N passed, N failed`.
"""
# SPDX-License-Identifier: MIT
import json
import os
import re
import sys
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cli_world import CliWorld, run_all  # noqa: E402

SCRIPT = r"""
step("reserve \"<&>\"", { undo = function() end }, function() return 1 end)
if decide("large", true) then checkpoint "paid" end
parallel {
  a = function() step("a1", function() return 1 end) step("a2", function() return 2 end) end,
  b = function() sleep "2ms" step("b1", { retry = { attempts = 2, backoff = "1ms" } }, function(at)
    if at.number == 1 then fail("once") end end) end,
}
if input.fails then step("ship", { retry = 1 }, function() fail("no truck") end) end
return 1
"""


class Views(CliWorld):
    def setUp(self):
        super().setUp()
        self.write("order.lua", SCRIPT)
        self.assertEqual(self.perilune("run", "order.lua", "--id", "ok").code, 0)
        self.perilune("run", "order.lua", "--id", "bad", "--input", '{"fails": true}')

    def edges(self, text, arrow):
        """The graph by the labels of its nodes."""
        labels = dict(re.findall(r'^ +(n\d+)[^"]*"((?:[^"\\]|\\.)*)"', text, re.M))
        return {(labels[a], labels[b]) for a, b in re.findall(rf"(n\d+) {arrow} (n\d+)", text)}

    def test_the_graph_has_what_was_done_in_its_order_with_branches_side_by_side(self):
        dot = self.perilune("show", "ok", "--graph", "dot").out
        edges = self.edges(dot, "->")
        expected = {("order", r"reserve \"<&>\""), (r"reserve \"<&>\"", "large: true"), ("large: true", "paid"),
                    ("paid", "parallel"), ("parallel", "a1"), ("a1", "a2"), ("parallel", "sleep"), ("sleep", "b1"),
                    ("a2", "parallel"), ("b1", "parallel"), ("parallel", "completed")}
        self.assertEqual(edges, expected)
        mermaid = self.perilune("show", "ok", "--graph", "mermaid").out
        self.assertTrue(mermaid.startswith("flowchart TD\n"))
        self.assertEqual({(a.replace("&quot;", r"\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), b)
                          for a, b in self.edges(mermaid, "-->") if "reserve" not in b},
                         {(a, b) for a, b in expected if "reserve" not in b})

    def test_the_svg_is_xml_and_shows_every_node_once(self):
        root = xml.fromstring(self.perilune("show", "ok", "--graph", "svg").out)
        texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
        self.assertEqual(sorted(texts), sorted(["order", 'reserve "<&>"', "large: true", "paid", "parallel", "parallel", "a1",
                                                "a2", "sleep", "b1", "completed"]))
        places = [(r.get("x"), r.get("y")) for r in root.iter("{http://www.w3.org/2000/svg}rect")]
        self.assertEqual(len(places), len(set(places)), "two nodes in one place")

    def test_the_trace_has_a_bar_for_each_step_and_failed_attempt_within_the_run(self):
        trace = json.loads(self.perilune("show", "ok", "--trace").out)["traceEvents"]
        bars = {(e["name"], e["cat"]): e for e in trace if e["ph"] == "X"}
        for bar in (("order", "run"), ("a1", "step"), ("b1", "step"), ("b1 (failed attempt)", "attempt"), ("sleep", "wait"),
                    ("parallel", "scope")):
            self.assertIn(bar, bars)
        run = bars[("order", "run")]
        for event in trace:
            if event["ph"] == "X":
                self.assertGreaterEqual(event["ts"], run["ts"])
                self.assertLessEqual(event["ts"] + event["dur"], run["ts"] + run["dur"])
        self.assertNotEqual(bars[("a1", "step")]["tid"], bars[("b1", "step")]["tid"])
        self.assertGreaterEqual(bars[("sleep", "wait")]["dur"], 2000)
        self.assertIn("paid", [e["name"] for e in trace if e["ph"] == "i"])

    def test_the_report_sums_up_steps_retries_and_what_was_undone(self):
        report = self.perilune("show", "bad", "--report", "--json").json()
        steps = {step["name"]: step for step in report["steps"]}
        self.assertEqual((steps["b1"]["status"], steps["b1"]["attempts"], steps["b1"]["count"]), ("completed", 2, 1))
        self.assertEqual((steps["ship"]["status"], steps["ship"]["error"]["message"]), ("failed", "no truck"))
        self.assertEqual((report["status"], report["retries"], len(report["undone"])), ("failed", 1, 1))
        self.assertIn("reserve", report["undone"][0])
        self.perilune("retry", "bad", "--by", "ana")
        told = self.perilune("show", "bad", "--report").out
        for words in ("run bad (order) failed", "ship", "no truck", "undone", "retry by ana", "attempts came again"):
            self.assertIn(words, told)

    def test_the_report_says_which_gate_held_and_which_failed(self):
        self.write("gated.lua", 'step("n", { expect = { type = "integer" } }, function() return 1 end) '
                                'step("m", { retry = 1, expect = { type = "string" } }, function() return 2 end)')
        self.perilune("run", "gated.lua", "--id", "g")
        gates = self.perilune("show", "g", "--report", "--json").json()["gates"]
        verdicts = [(gate["gate"], gate["name"], gate["held"]) for gate in gates]
        self.assertIn(("expect", "n", True), verdicts)
        self.assertIn(("expect", "m", False), verdicts)
        told = self.perilune("show", "g", "--report").out
        self.assertIn("expect of n held", told)
        self.assertIn("expect of m failed: ", told)

    def test_only_one_view_at_a_time_and_known_formats(self):
        refused = self.perilune("show", "ok", "--graph", "dott")
        self.assertEqual(refused.code, 2)
        self.assertIn("did you mean 'dot'", refused.err)
        self.assertEqual(self.perilune("show", "ok", "--graph", "dot", "--trace").code, 2)


if __name__ == "__main__":
    run_all()
