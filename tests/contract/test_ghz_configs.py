"""Every ghz configuration still fits the contract."""

from __future__ import annotations

import json
from pathlib import Path

import protovalidate
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message_factory import GetMessageClass

from bench.ghz import CONFIGS as FOLDER
from bench.ghz import read_config, template_of
from bench.go_template import render
from longmen.accounts.v1 import accounts_service_pb2
from longmen.ledger.v1 import ledger_service_pb2
from longmen.transfers.v1 import transfers_service_pb2

ROOT = Path(__file__).resolve().parents[2]
SERVICES = {
    service.full_name: service
    for module in (accounts_service_pb2, ledger_service_pb2, transfers_service_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
}
CONFIGS = sorted(FOLDER.rglob("*.json"))
SCENARIOS = {"batch", "hot", "read", "replay", "uniform"}
RENDERINGS = 20


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def test_every_scenario_has_a_plaintext_and_a_tls_variant() -> None:
    names = {name_of(path) for path in CONFIGS}
    assert names == {f"{folder}{name}.json" for folder in ("", "tls/") for name in SCENARIOS}


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_rendered_data_is_a_valid_request_of_a_method_that_exists(path: Path) -> None:
    config = read_config(path)
    service, _, method = config["call"].rpartition(".")
    message = GetMessageClass(SERVICES[service].methods_by_name[method].input_type)
    template = template_of(config)
    rendered = [render(template, {"RequestNumber": number}) for number in range(RENDERINGS)]
    for text in rendered:
        protovalidate.validate(json_format.Parse(text, message()))
    if "replay" not in path.name:
        assert len(set(rendered)) > 1, "every call would be the same one"


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_the_protoset_it_names_describes_the_method(path: Path) -> None:
    config = read_config(path)
    protoset = FileDescriptorSet.FromString((ROOT / config["protoset"]).read_bytes())
    methods = {
        f"{file.package}.{service.name}.{method.name}"
        for file in protoset.file
        for service in file.service
        for method in service.method
    }
    assert config["call"] in methods


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_load_reaches_every_worker_and_ends_without_cutting_calls_off(path: Path) -> None:
    config = read_config(path)
    assert config["connections"] >= 8
    assert config["concurrency"] >= config["connections"]
    assert config["duration-stop"] == "wait"
    assert config["count-errors"] is True
    assert config["metadata-file"] == ".longmen/call-metadata.json"


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_the_tls_variant_differs_in_its_transport_only(scenario: str) -> None:
    plain = read_config(FOLDER / f"{scenario}.json")
    secure = read_config(FOLDER / "tls" / f"{scenario}.json")
    assert plain.pop("insecure") is True
    assert "insecure" not in secure
    assert secure.pop("cacert")
    assert secure == plain


def test_replays_ask_for_the_same_thing_under_the_same_id() -> None:
    template = template_of(read_config(FOLDER / "replay.json"))
    contents: dict[str, set[str]] = {}
    for _ in range(500):
        request = json.loads(render(template, {"RequestNumber": 0}))
        contents.setdefault(request.pop("requestId"), set()).add(json.dumps(request))
    assert len(contents) == 16
    assert all(len(bodies) == 1 for bodies in contents.values())
