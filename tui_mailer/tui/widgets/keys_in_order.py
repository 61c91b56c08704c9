"""Makes a text field do what its own keys say in the order in which they were typed."""

from __future__ import annotations

from textual import events
from textual.binding import BindingsMap
from textual.widget import Widget


async def act_at_once(field: Widget, own: BindingsMap, event: events.Key) -> None:
    """Runs the field's own binding of a key, if it has one, now and not after the key has come back to the app.

    Textual writes a letter at once but runs the field's Backspace a round later, in whichever field then has the
    focus: what is typed ahead on a slow line would come out scrambled.
    """
    for binding in own.key_to_bindings.get(event.key, ()):
        if binding.action == "copy" and not getattr(field, "selected_text", ""):
            continue  # nothing to copy: the app hears of the key, and tells how one leaves
        if not binding.priority and field.check_action(binding.action, ()):
            event.stop()
            event.prevent_default()
            await field.run_action(binding.action)
            return
