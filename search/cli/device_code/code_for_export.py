"""The code of a model that is exported as C, by the costs on a device, and what is said about it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from neuraltree.cli.command import say
from neuraltree.compress.formats import AUTO, CODED, HALVES, InputSpec
from neuraltree.hardware.choice import CodeRule, candidates, decide
from neuraltree.hardware.choice_words import word_of_code
from neuraltree.hardware.dominated_code import word_on_integers, words_on_dominated
from neuraltree.hardware.profile.devices import Code, Device
from neuraltree.hardware.profile.load import load_device
from neuraltree.tree.model_files import load
from neuraltree.tree.soundness import refuse_several_targets
from search.config.code_rule import rule_of
from search.config.config import Config, load_config
from search.folder.records import CONFIG


class Asked(NamedTuple):
    """The code asked for, of which each may be "auto", and whether it is the one that the search chose."""

    precision: str
    style: str
    by_search: bool


def settled(
    asked: Asked, model: Path, run: Path | None, device_name: str | None, inputs: InputSpec = "float32"
) -> tuple[str, str]:
    """The number format and the style in which a model file is exported.

    Objectives and constraints of the ``run`` count. Prints why if the code was chosen, and warns if another dominates
    a code that was not. ``ValueError`` for "auto" without a device.
    """
    config = load_config(run / CONFIG) if run else None
    name = device_name or (config.hardware.device if config else "")
    if not name:
        if AUTO in asked:
            raise ValueError('"auto" chooses by the costs on a device; add --device, as in --device cortex-m4f')
        return asked[:2]
    device, tree = load_device(name), load(model)
    build = device.build(config.hardware.compiler if config else "clang")
    code = Code(asked.precision, asked.style, build)
    if AUTO not in asked and not asked.by_search:
        if asked.precision in HALVES or asked.style == CODED or not device.has(*code):
            return asked[:2]  # no figures could compare it with others
        for word in words_on_dominated(code, device, [tree], inputs):
            say(word)
        return asked[:2]
    refuse_several_targets(tree.kind, tree.num_outputs, f"{model}: a cost on a device")
    rule = _rule(config, device, code)
    if word := word_on_integers(rule.codes, device, inputs):
        say(word)
    own = candidates(code, device)
    chosen = decide([tree], device, rule._replace(codes=own), inputs)[0].code
    rule = rule._replace(codes=tuple(dict.fromkeys((*rule.codes, *own))))  # a format below 8 bits is not among all
    print(word_of_code(decide([tree], device, rule, inputs)[0]._replace(code=chosen), device, tree))
    return chosen.precision, chosen.style


def _rule(config: Config | None, device: Device, code: Code) -> CodeRule:
    """What chooses among all codes for the device."""
    if config is None:
        return CodeRule(candidates(code._replace(precision=AUTO, style=AUTO), device))
    return rule_of(replace(config, hardware=replace(config.hardware, precision=AUTO, style=AUTO)), device)
