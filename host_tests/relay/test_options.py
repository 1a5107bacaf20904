"""The command line: what is wrong is one line that says what to do."""

import re
import sqlite3

import pytest

from tools.certs import lab
from tools.relay import messages, options
from tools.relay.__main__ import main
from tools.relay.messages import Arrived, Inbox


def said(capsys, arguments, status: int) -> str:
    if status == 2:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
    else:
        assert main(arguments) == status
    text = capsys.readouterr().err
    assert re.fullmatch(r"relay: [^\n]+\n", text), text
    return text


@pytest.mark.parametrize("arguments", [
    ["--party"], ["--share", "a/b"], ["--share", ""], ["--mqtt", "4"], ["send"], ["send", "GW-1"],
    ["send", "GW-1", "state", "--for", "0"], ["send", "GW-1", "state", "--wait", "-1"],
    ["send", "GW-1", "state", "--wait", "soon"], ["export"], ["export", "--csv", "--jsonl"], ["broker"],
    ["broker", "x", "--port", "0"], ["broker", "x", "--port", "http"], ["commands", "a", "b"],
])
def test_a_wrong_command_line(capsys, arguments):
    said(capsys, arguments, 2)


def test_what_is_not_there(capsys, tmp_path):
    none = f"sqlite:///{tmp_path / 'none.db'}"
    made = lab(tmp_path / "lab", [])
    assert "--lab DIR" in said(capsys, [], 1)
    assert "--ca, --key missing" in said(capsys, ["--cert", "x"], 1)
    assert f"`python -m tools.relay broker {tmp_path}` makes one" in said(capsys, ["--lab", str(tmp_path)], 1)
    assert "No such file" in said(capsys, ["--lab", str(made.folder), "--cert", "none.pem"], 1)
    key = str(made.relay / "key.pem")
    assert "is no PEM certificate" in said(capsys, ["--lab", str(made.folder), "--cert", key], 1)
    assert "--key" in said(capsys, ["--lab", str(made.folder), "--key", str(made.ca)], 1)
    assert "is not HOST or HOST:PORT" in said(capsys, ["--lab", str(made.folder), "--broker", "here:x"], 1)
    assert "--db is sqlite" in said(capsys, ["--lab", str(made.folder), "--db", "mysql://x"], 1)
    assert "cannot open the database" in said(capsys, ["--lab", str(made.folder), "--db", "sqlite:////nowhere/x.db"], 1)
    nobody = "postgresql://relay:secret@127.0.0.1:1/x"
    assert "the database does not answer" in said(capsys, ["export", "--jsonl", "--db", nobody], 1)
    for command in (["send", "GW-1", "state"], ["commands"], ["export", "--jsonl"]):
        assert "there is no database" in said(capsys, [*command, "--db", none], 1)
    assert "--since" in said(capsys, ["export", "--jsonl", "--since", "soon", "--db", none], 1)
    (tmp_path / "file").write_text("no database, but a text that is long enough to be none" * 20)
    assert "file" in said(capsys, ["export", "--csv", "--db", f"sqlite:///{tmp_path / 'file'}"], 1)
    assert not (tmp_path / "none.db").exists()


def test_a_command_without_a_name_wants_no_field(capsys):
    assert "FIELD" not in said(capsys, ["send", "GW-1"], 2)


def test_no_password_is_shown(capsys):
    text = said(capsys, ["export", "--jsonl", "--db", "postgresql://relay:secret@127.0.0.1:1/x"], 1)
    assert "secret" not in text


def test_a_database_of_another_version_is_refused(capsys, tmp_path):
    path = tmp_path / "relay.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE relay_schema (version INTEGER NOT NULL)")
    db.execute("INSERT INTO relay_schema VALUES (99)")
    db.commit()
    db.close()
    assert "version 99" in said(capsys, ["export", "--jsonl", "--db", f"sqlite:///{path}"], 1)


@pytest.mark.parametrize(("text", "place"), [
    ("localhost", ("localhost", 8883)), ("relay.lab:1883", ("relay.lab", 1883)), ("[::1]", ("::1", 8883)),
    ("[::1]:99", ("::1", 99)),
])
def test_places(text, place):
    assert options._place(text) == place


def test_the_inbox_is_bounded_and_gives_groups():
    inbox = Inbox(most=5)
    assert inbox.take(10, 0.0) == []
    for number in range(7):
        inbox.put(Arrived(1, number, 1, "t", b"", 0))
    assert inbox.dropped == 2
    assert [each.mid for each in inbox.take(3, 1.0)] == [0, 1, 2]
    assert [each.mid for each in inbox.take(10, 1.0)] == [3, 4]
    assert messages.LINGER_S < 0.05
