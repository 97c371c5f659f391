"""Threads where they are looked for: one after the other, in the side bar, in the hover."""

from __future__ import annotations

import re

from playwright.sync_api import expect

TOTAL = (13, 18)
DUPLICATES = (21, 23)


def test_threads_are_gone_through_and_put_away(desk, model):
    """Next and Previous go round the open threads; a resolved one is passed over until it is opened again."""
    model.script("It adds up.", "It counts.")
    desk.ask("What does this do?", TOTAL)
    desk.answered("It adds up.")
    desk.collapse()
    desk.ask("And this?", DUPLICATES)
    expect(desk.lenses).to_have_text(["Claude: 1 answer"] * 2)
    desk.run("ChannelCoder: Next Thread")
    expect(desk.cursor).to_have_text("Ln 13, Col 1")
    expect(desk.thread.filter(has_text="It adds up.")).to_have_count(1)
    desk.run("ChannelCoder: Previous Thread")
    expect(desk.cursor).to_have_text("Ln 21, Col 1")

    desk.run("ChannelCoder: Resolve Thread")
    expect(desk.lenses).to_have_text(["Claude: 1 answer"])
    desk.run("ChannelCoder: Next Thread")
    expect(desk.cursor).to_have_text("Ln 13, Col 1")
    desk.go(19)
    desk.run("ChannelCoder: Next Thread")
    expect(desk.cursor).to_have_text("Ln 13, Col 1")
    desk.go(22)
    desk.run("ChannelCoder: Reopen Thread")
    expect(desk.lenses).to_have_text(["Claude: 1 answer"] * 2)

    desk.run("ChannelCoder: Remove Thread")
    desk.confirm("Remove")
    expect(desk.lenses).to_have_text(["Claude: 1 answer"])
    desk.go(1)
    desk.run("ChannelCoder: Resolve Thread")
    expect(desk.notifications).to_contain_text(["There is no thread at the cursor."])
    desk.run("Notifications: Clear All Notifications")


def test_a_thread_whose_code_is_gone_is_in_the_tree(desk, model):
    """It is among those that were not found, and still can be read; with the code it comes back to its place."""
    model.script("It adds up.")
    desk.ask("What does this do?", TOTAL)
    desk.answered("It adds up.")
    desk.collapse()
    desk.select(*TOTAL)
    desk.page.keyboard.press("Delete")
    desk.view("ChannelCoder")
    row = desk.page.get_by_role("treeitem", name=re.compile("What does this do.*not found any more"))
    row.click()
    expect(desk.session().locator("body")).to_contain_text("It adds up.")
    expect(desk.tab("Preview shop.py: What does this do?.md")).to_be_visible()
    desk.picture("gone")
    desk.tab("shop.py").click()
    desk.undo()
    expect(desk.page.get_by_role("treeitem", name=re.compile("What does this do.*line 13"))).to_be_visible()
    desk.view("Explorer")


def test_a_hover_leads_to_the_thread_and_says_nothing_that_it_shows(desk, model):
    """The link opens the thread; while it is open, hovering over its code tells only what the editor itself has."""
    model.script("It makes them red.")
    desk.edit(desk.machine.write("shop.css", ".price {\n  color: red;\n}\n"))
    desk.ask("What does this do?", (1, 3))
    desk.answered("It makes them red.")
    desk.collapse()
    desk.hover("color", "It makes them red.")
    desk.page.locator(".monaco-hover:visible").get_by_role("link", name="Show Thread").click()
    expect(desk.thread.filter(has_text="It makes them red.")).to_have_count(1)
    desk.hover("color", "the color of an element's text")
    expect(desk.page.locator(".monaco-hover:visible", has_text="It makes them red.")).to_have_count(0)
