"""What foreign names and messages become where they are printed, or written into XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from kubeanswers.terminal import xml_text

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
