"""A lab's certificates: what openssl and MicroPython say of them, who may read the keys, one line for what is wrong."""

import datetime
import os
import re
import ssl
import subprocess
import sys
import threading

import pytest
from conftest import ROOT
from cryptography import x509

from tools.certs import Authority, CertsError, Validity, lab
from tools.certs.__main__ import main
from tools.certs.lab import LAB

UTC = datetime.timezone.utc


def certs(folder, *arguments: str, status: int = 0):
    command = [sys.executable, "-m", "tools.certs", str(folder), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    if status:
        assert re.fullmatch(r"certs: [^\n]+\n", done.stderr), done.stderr
    return done.stderr or done.stdout


def shake_hands(server_context, client_context, name: str) -> str:
    """Both ends of a TLS handshake in memory; "" when both accept, else what the first to refuse says."""
    ends = [ssl.MemoryBIO() for _ in range(2)]
    sides = [
        server_context.wrap_bio(ends[0], ends[1], server_side=True),
        client_context.wrap_bio(ends[1], ends[0], server_hostname=name),
    ]
    done = [False, False]
    for _ in range(10):
        for number, side in enumerate(sides):
            try:
                side.do_handshake()
                done[number] = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                return str(error)
    assert done == [True, True]
    return ""


def contexts(made, number: str = "GW-000000", crl: bool = False) -> tuple:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.minimum_version = server.maximum_version = ssl.TLSVersion.TLSv1_2
    server.load_cert_chain(made.server / "cert.pem", made.server / "key.pem")
    server.load_verify_locations(made.ca)
    server.verify_mode = ssl.CERT_REQUIRED
    if crl:
        server.load_verify_locations(made.crl)
        server.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_cert_chain(made.folder / number / "cert.pem", made.folder / number / "key.pem")
    client.load_verify_locations(made.ca)
    return server, client


@pytest.mark.req("SEC-01")
def test_both_ends_accept_each_other_and_refuse_a_wrong_name_and_another_ca(tmp_path):
    made, other = lab(tmp_path / "a"), lab(tmp_path / "b")
    for name in ("relay.lab", "localhost", "127.0.0.1"):
        assert not shake_hands(*contexts(made), name)
    assert "Hostname mismatch" in shake_hands(*contexts(made), "relay.other")
    assert re.search("self.signed", shake_hands(contexts(other)[0], contexts(made)[1], "relay.lab"))


@pytest.mark.req("SEC-01")
def test_a_gateways_certificate_is_no_servers_and_a_servers_is_no_gateways(tmp_path):
    made = lab(tmp_path)
    server, client = contexts(made, "relay.lab")
    assert shake_hands(server, client, "relay.lab")
    server, client = contexts(made)
    server.load_cert_chain(made.gateway("GW-000000") / "cert.pem", made.gateway("GW-000000") / "key.pem")
    client.check_hostname = False
    assert shake_hands(server, client, "relay.lab")


@pytest.mark.req("SEC-01")
@pytest.mark.fault(71)
@pytest.mark.parametrize(("since", "until", "says"), [
    (datetime.datetime(2020, 1, 1, tzinfo=UTC), datetime.datetime(2021, 1, 1, tzinfo=UTC), "expired"),
    (datetime.datetime(2090, 1, 1, tzinfo=UTC), datetime.datetime(2091, 1, 1, tzinfo=UTC), "not yet valid"),
])
def test_one_that_ran_out_and_one_that_does_not_hold_yet_are_refused(tmp_path, since, until, says):
    made = lab(tmp_path)
    made.authority.server("relay.lab", [], Validity(since, until), again=True)
    assert says in shake_hands(*contexts(made), "relay.lab")


@pytest.mark.req("SEC-01")
@pytest.mark.fault(72)
def test_a_revoked_gateway_is_refused_and_comes_back_with_a_new_certificate(tmp_path):
    made = lab(tmp_path, ["GW-1", "GW-2"])
    assert not shake_hands(*contexts(made, "GW-1", crl=True), "relay.lab")
    certs(tmp_path, "revoke", "GW-1")
    assert "revoked" in shake_hands(*contexts(made, "GW-1", crl=True), "relay.lab")
    assert not shake_hands(*contexts(made, "GW-2", crl=True), "relay.lab")
    certs(tmp_path, "gateway", "GW-1")  # the old one is on the list: no need to say --again
    assert not shake_hands(*contexts(made, "GW-1", crl=True), "relay.lab")
    certs(tmp_path, "revoke", "GW-1")
    revoked = x509.load_pem_x509_crl(made.crl.read_bytes())
    assert len(list(revoked)) == 2 and revoked.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 3


def test_der_and_pem_say_the_same_and_micropython_takes_the_der(tmp_path, micropython):
    folder = lab(tmp_path).gateway("GW-000000")
    pem = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
    assert pem == x509.load_der_x509_certificate((folder / "cert.der").read_bytes())
    assert pem.signature_hash_algorithm.name == "sha256" and pem.public_key().curve.name == "secp256r1"
    program = (
        "import sys, tls\n"
        "read = lambda name: open(sys.argv[1] + '/' + name, 'rb').read()\n"
        "context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)\n"
        "context.load_cert_chain(read('cert.der'), read('key.der'))\n"
        "context.load_verify_locations(read('ca.der'))\n"
        "print('taken')\n"
    )
    path = tmp_path / "take.py"
    path.write_text(program)
    assert micropython([str(path), str(folder)]) == "taken\n"


@pytest.mark.req("SEC-02")
def test_only_the_owner_reads_private_keys_even_while_they_are_written(tmp_path):
    seen = set()
    stop = threading.Event()

    def watch():
        while not stop.is_set():
            for path in tmp_path.rglob("*key*"):
                try:
                    seen.add((path.suffix, path.stat().st_mode & 0o777))
                except FileNotFoundError:
                    pass

    old = os.umask(0)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        lab(tmp_path, [f"GW-{number}" for number in range(20)])
    finally:
        stop.set()
        watcher.join()
        os.umask(old)
    assert {mode for _, mode in seen} == {0o600}
    keys = sorted(tmp_path.rglob("*key*"))
    assert len(keys) == 1 + 2 * 22 and {path.stat().st_mode & 0o777 for path in keys} == {0o600}


def test_the_command_makes_what_lab_makes(tmp_path):
    certs(tmp_path, "ca", "--from", "2020-01-01", "--until", "2060-01-01T00:00:00Z")
    certs(tmp_path, "server", "relay.lab", "--san", "relay.other")
    certs(tmp_path, "relay")
    certs(tmp_path, "gateway", "GW-000000", "--days", "30")
    made = lab(tmp_path)
    for name in ("relay.lab", "relay.other", "localhost", "127.0.0.1"):
        assert not shake_hands(*contexts(made, crl=True), name)
    certs(tmp_path, "server", "relay.lab", "--only", "--again")
    assert not shake_hands(*contexts(made), "relay.lab")
    assert "Hostname mismatch" in shake_hands(*contexts(made), "localhost")
    cert = x509.load_pem_x509_certificate((tmp_path / "GW-000000" / "cert.pem").read_bytes())
    assert cert.not_valid_after_utc - cert.not_valid_before_utc == datetime.timedelta(days=30)
    ca = x509.load_pem_x509_certificate(made.ca.read_bytes())
    assert (ca.not_valid_before_utc.year, ca.not_valid_after_utc.year) == (2020, 2060)


def test_what_is_there_stays_unless_told_otherwise(tmp_path):
    made = lab(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    lab(tmp_path)
    assert "has a CA already" in certs(tmp_path, "ca", status=1)
    assert "revoke it first" in certs(tmp_path, "gateway", "GW-000000", status=1)
    assert {path: path.read_bytes() for path in before} == before
    certs(tmp_path, "gateway", "GW-000000", "--again")
    assert (made.gateway("GW-000000") / "cert.pem").read_bytes() != before[made.folder / "GW-000000" / "cert.pem"]


@pytest.mark.parametrize("arguments", [
    ("gateway", "../GW"), ("gateway", "GW/1"), ("gateway", "GW+"), ("gateway", "#"), ("gateway", ""),
    ("gateway", "G" * 33), ("gateway", "relay"), ("gateway", "G\u00e4"),
    ("server", "a b"), ("server", "x", "--san", "*"), ("revoke", "GW-9"), ("revoke", ".."), ("revoke", "x/.."),
    ("gateway", "GW-1", "--from", "yesterday"),
    ("gateway", "GW-1", "--from", "2026-01-02", "--until", "2026-01-01"), ("gateway", "GW-1", "--from", "0001-01-01"),
    ("gateway", "ca.pem"),
])
def test_one_line_says_what_is_wrong(tmp_path, arguments, capsys):
    lab(tmp_path, [])
    assert main([str(tmp_path), *arguments]) == 1
    assert re.fullmatch(r"certs: [^\n]+\n", capsys.readouterr().err)


def test_bad_options_and_broken_files_are_one_line_too(tmp_path):
    certs(tmp_path, "gateway", "GW-1", "--days", "0", status=2)
    certs(tmp_path, "gateway", status=2)
    certs(tmp_path, "party", status=2)
    assert "has no CA" in certs(tmp_path / "none", "gateway", "GW-1", status=1)
    lab(tmp_path, [])
    (tmp_path / "ca-key.pem").write_text("no key")
    assert "cannot read" in certs(tmp_path, "gateway", "GW-1", status=1)
    (tmp_path / "file").touch()
    with pytest.raises(CertsError, match="cannot write"):
        Authority.create(tmp_path / "file" / "x", LAB)
