"""What foreign names and messages become where they are printed, or written into XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from kubeanswers.terminal import cell, of_cell, xml_text

HOSTILE = (
    *("\x1b]0;owned\x07", "a\x00b", "\ud800", "\ufffe", "\uffff", "\u202egnp"),
    *("</failure><testcase/>"),
    *("]]>", "\x85"),
)


@pytest.mark.parametrize("text", HOSTILE)
def test_xml_holds_whatever_a_name_is(text: str) -> None:
    element = ET.Element("case", name=text)
    element.text = text
    read = ET.fromstring(xml_text(ET.tostring(element, encoding="unicode")))  # noqa: S314 - our own output
    assert read.get("name") == read.text
    assert xml_text("plain, \u00e9 and \U0001f600\n\t") == "plain, \u00e9 and \U0001f600\n\t"


@pytest.mark.parametrize(
    "text", ["=cmd|'x'!A0", "@SUM(1)", "+1", "-2", "\t=1", "\uff1d1", "'=1", "plain", "'", "a=b", ""]
)
def test_a_cell_is_no_formula_and_reads_back_as_it_was(text: str) -> None:
    written = cell(text)
    assert of_cell(written) == text
    assert written[:1] not in tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
