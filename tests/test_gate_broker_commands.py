"""What a Pact Broker answers, sentence by sentence, through the real commands: a sentence is a history with questions.

A history is a list of lines, as `Teller` reads them. A question ends in what a Broker says: `= yes`, `= no` or
`= unknown`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builders import interaction, pact
from tests.gate_history import ref
from tests.gated import Gate, gate_in

ANSWERS = {"yes": True, "no": False, "unknown": None}
PAIR = "publish web@1 shop x; create shop@1; deploy shop@1"

SENTENCES = {
    "the order of versions is that of creation, never that of their text": """
        publish web@1 shop x; create shop@10; create shop@9; verify web@1 shop@9
        ask -a web -e 1 --latestby cvpv = yes; ask -a web -e 1 -a shop --latest = yes""",
    "a verification can create the version that is the newest": """
        publish web@1 shop x; create shop@1; verify web@1 shop@2; verify web@1 shop@1 fails; ask -a web -e 1 = yes""",
    "names, numbers and environments are case sensitive": """
        publish web@a shop x; create shop@1; deploy shop@1; verify web@a shop@1
        to production -a web -e a = yes; to production -a web -e A = no; refused -a Web -e a --to-environment production
        refused -a web -e a --to-environment Production""",
    "other content for the same version is refused, and the same again is none": f"""
        {PAIR}; rejected web@1 shop y; publish web@1 shop x; verify web@1 shop@1; to production -a web -e 1 = yes""",
    "a refused publication leaves no branch behind": f"""
        {PAIR}; rejected web@1 shop y main; to production -a web --branch main --latest = no""",
    "a content that comes back has its results again": f"""
        {PAIR}; verify web@1 shop@1; publish web@2 shop y; publish web@3 shop x
        to production -a web -e 2 = unknown; to production -a web -e 3 = yes
        verify web@3 shop@1 fails; to production -a web -e 1 = no; verify web@1 shop@1
        to production -a web -e 3 = yes""",
    "equal contents for two providers are two pacts": f"""
        {PAIR}; publish web@1 stock x; create stock@1; deploy stock@1; verify web@1 shop@1
        to production -a web -e 1 = unknown; verify web@1 stock@1 fails; to production -a web -e 1 = no
        to production -a shop -e 1 = yes; verify web@1 stock@1; to production -a web -e 1 = yes""",
    "equal contents of two consumers are two pacts": f"""
        {PAIR}; verify web@1 shop@1; publish app@1 shop x; to production -a app -e 1 = unknown""",
    "the last result counts, whatever came before": f"""
        {PAIR}; verify web@1 shop@1; verify web@1 shop@1 fails; verify web@1 shop@1 fails; verify web@1 shop@1
        to production -a web -e 1 = yes; verify web@1 shop@1 fails; to production -a web -e 1 = no""",
    "a version that does not exist cannot be deployed": f"""
        {PAIR}; undeployable shop@2; undeployable web@9; to production -a web -e 1 = unknown""",
    "no instance is an instance of its own": f"""
        {PAIR}; verify web@1 shop@1 fails; deploy web@1 blue; publish web@2; deploy web@2
        to production -a shop -e 1 = no; undeploy web; to production -a shop -e 1 = no
        undeploy web blue; to production -a shop -e 1 = yes; deploy web@1 blue; to production -a shop -e 1 = no""",
    "a rollback makes the older version the live one": f"""
        {PAIR}; verify web@1 shop@1; verify web@1 shop@2 fails; deploy shop@2; to production -a web -e 1 = no
        deploy shop@1; to production -a web -e 1 = yes; undeploy shop; to production -a web -e 1 = unknown""",
    "a release stays beside a deployment, and ends on its own": f"""
        {PAIR}; verify web@1 shop@1 fails; publish web@2; release web@1; deploy web@1; deploy web@2
        to production -a shop -e 1 = no; unsupport web@1; to production -a shop -e 1 = yes
        release web@1; to production -a shop -e 1 = no; unsupport web@1; deploy web@1
        to production -a shop -e 1 = no""",
    "environments know nothing of each other": f"""
        environment staging; {PAIR}; verify web@1 shop@1; to staging -a web -e 1 = unknown
        deploy shop@1 at staging; to staging -a web -e 1 = yes; undeploy shop; to production -a web -e 1 = unknown""",
    "the head of a branch is what came to it first last": f"""
        {PAIR}; create shop@2 my branch; create shop@1 my branch; create shop@2 my branch; verify web@1 shop@1
        ask -a web -e 1 -a shop --branch 'my branch' --latest = yes; verify web@1 shop@2 fails
        ask -a web -e 1 -a shop --branch 'my branch' = no""",
    "the main branch is the first of its names, for ever": f"""
        {PAIR}; verify web@1 shop@1; create shop@1 trunk; merge -a web -e 1 = unknown
        create shop@1 master; merge -a web -e 1 = yes; create shop@2 main; create shop@3 develop
        merge -a web -e 1 = yes
        create shop@4 master; merge -a web -e 1 = unknown; ask -a web -e 1 -a shop --main-branch = unknown""",
    "a consumer without main branch is left out, and a provider without is unknown": f"""
        {PAIR}; verify web@1 shop@1 fails; merge -a shop -e 1 = yes; create web@1 main; merge -a shop -e 1 = no
        merge -a web -e 1 = unknown""",
    "a tag is no environment and no branch": f"""
        {PAIR}; verify web@1 shop@1; tag shop@2 production; to production -a web -e 1 = yes
        ask -a web -e 1 --to production = unknown; verify web@1 shop@2; ask -a web -e 1 --to production = yes
        ask -a web -e 1 -a shop --latest production = yes; ask -a web -e 1 -a shop --branch production --latest = no""",
    "the asked version alone stands for its participant": f"""
        {PAIR}; verify web@1 shop@1 fails; deploy web@1; publish web@2; to production -a web -e 2 = yes
        to production -a web -e 2 -a shop -e 1 = yes; to production -a shop -e 1 = no""",
    "rows between two that nobody named do not appear": """
        publish web@1 shop x; publish shop@1 stock y; create stock@1; deploy stock@1; deploy shop@1; deploy web@1
        verify shop@1 stock@1 fails; verify web@1 shop@1; to production -a web -e 1 = yes
        to production -a shop -e 1 = no; to production -a stock -e 1 = no""",
    "one of two live versions that verified is enough": f"""
        {PAIR}; create shop@2; deploy shop@2 blue; to production -a web -e 1 = unknown; verify web@1 shop@2
        to production -a web -e 1 = yes; verify web@1 shop@1 fails; to production -a web -e 1 = no
        to production -a web -e 1 --latestby cvp = yes""",
    "each live version of a consumer has its own row": f"""
        {PAIR}; publish web@2 shop y; deploy web@1; release web@2; verify web@1 shop@1
        to production -a shop -e 1 = unknown
        verify web@2 shop@1 fails; to production -a shop -e 1 = no""",
    "unknown beats failed, and missing beats unknown": f"""
        {PAIR}; publish web@1 stock y; verify web@1 shop@1 fails; to production -a web -e 1 = unknown
        to production -a web -e 1 -a stock -e 9 = no""",
    "what the asker names must exist, and what is inferred need not": f"""
        {PAIR}; undeploy shop; to production -a web -e 1 = unknown; ask -a web -e 1 -a shop -e 9 = no
        ask -a web -e 1 -a shop --environment production = no; ask -a web -e 1 -a shop --branch nix --latest = no""",
    "a version without pacts needs nobody, and a dropped provider is free": f"""
        {PAIR}; verify web@1 shop@1 fails; publish web@2; to production -a web -e 2 = yes; deploy web@2
        to production -a shop -e 1 = yes; deploy web@1 blue; to production -a shop -e 1 = no""",
    "a provider that was never deployed, or is only a name, is unknown": """
        publish web@1 shop x; to production -a web -e 1 = unknown; verify web@1 shop@1
        to production -a web -e 1 = unknown
        to production -a shop -e 1 = yes""",
    "cycles are judged both ways": """
        publish a@1 b x; publish b@1 a y; to production -a a -e 1 = unknown; deploy b@1; verify a@1 b@1
        to production -a a -e 1 = unknown; verify b@1 a@1; to production -a a -e 1 = yes; verify b@1 a@1 fails
        to production -a a -e 1 = no; undeploy b; to production -a a -e 1 = unknown""",
    "who consumes itself is held against all results of its own": """
        publish a@1 a x; to production -a a -e 1 = unknown; verify a@1 a@2 fails; create a@3; verify a@1 a@4
        to production -a a -e 1 = no; to production -a a -e 2 = no; to production -a a -e 4 = yes
        list -a a -e 2 = no; verify a@1 a@2; to production -a a -e 1 = yes""",
    "a name alone lists all that is known of it": f"""
        {PAIR}; publish web@2 shop y; verify web@1 shop@1; verify web@2 shop@2; list -a web = yes; list -a shop = yes
        create shop@3; verify web@2 shop@3 fails; list -a shop = no; list -a web = no; list -a shop -e 2 = yes""",
    "the named are judged between themselves, in any order": f"""
        {PAIR}; publish app@1 shop y; ask -a web -e 1 -a app -e 1 = yes; publish web@2 shop y
        ask -a web -e 1 -a web -e 2 = yes
        verify web@1 shop@1; verify web@1 shop@2 fails; ask -a shop -e 1 -a web -e 1 = yes
        ask -a web -e 1 -a shop -e 2 = no""",
    "what is ignored does not count": f"""
        {PAIR}; publish web@1 stock y; verify web@1 shop@1 fails; to production -a web -e 1 --ignore stock = no
        to production -a web -e 1 --ignore shop = unknown; to production -a web -e 1 --ignore shop --ignore stock = yes
        to production -a web -e 1 --ignore shop -e 1 --ignore stock = yes
        to production -a web -e 1 --ignore shop -e 7 --ignore stock = no; to production -a web -e 9 --ignore web = yes
        to production -a web -e 9 --ignore web -e 9 = no; to production -a web -e 1 --ignore web = yes""",
    "the head of a branch is picked before its tags and places are looked at": f"""
        {PAIR}; verify web@1 shop@1; create shop@1 main; tag shop@1 prod; create shop@2 main
        ask -a web -e 1 -a shop --branch main --latest prod = no
        ask -a web -e 1 -a shop --branch main --latest --environment production = no
        ask -a web -e 1 -a shop --branch main --tag prod = yes; ask -a web -e 1 -a shop --latest prod = yes
        ask -a web -e 1 -a shop --branch main --environment production = yes; tag shop@2 prod
        ask -a web -e 1 -a shop --branch main --latest prod = unknown""",
    "a version that is deployed and released, or at several instances, is one": f"""
        {PAIR}; deploy shop@1 blue; release shop@1; verify web@1 shop@1; to production -a web -e 1 = yes
        undeploy shop; undeploy shop blue; to production -a web -e 1 = yes; unsupport shop@1
        to production -a web -e 1 = unknown""",
    "the newest of a participant counts whatever it is on, and wherever it is": f"""
        {PAIR}; verify web@1 shop@1; create shop@2 feature; ask -a web -e 1 = unknown; deploy shop@1 blue
        ask -a web -e 1 = unknown; verify web@1 shop@2 fails; ask -a web -e 1 = no; verify web@1 shop@3
        ask -a web -e 1 = yes; ask -a web --latest = yes""",
    "several versions of one participant may be asked about at once": f"""
        {PAIR}; publish web@2 shop y; verify web@1 shop@1; ask -a web -e 1 -a web -e 2 -a shop -e 1 = unknown
        verify web@2 shop@1 fails; ask -a web -e 1 -a web -e 2 -a shop -e 1 = no
        ask -a web -e 1 -a web -e 2 -a shop -e 1 --ignore web -e 2 = yes""",
    "to ignore a version excuses no missing result": f"""
        {PAIR}; to production -a web -e 1 --ignore shop -e 1 = unknown
        to production -a web -e 1 --ignore web -e 1 = yes""",
    "each of two providers has to have tried the content that it will meet": f"""
        {PAIR}; publish web@1 stock y; create stock@1; deploy stock@1; verify web@1 shop@1; verify web@1 stock@1
        publish web@2 shop z; verify web@2 shop@2; deploy shop@2; to production -a web -e 1 = unknown
        to production -a web -e 2 = yes""",
    "an old version does not need the providers that later ones have": f"""
        {PAIR}; verify web@1 shop@1; publish web@2 shop x; publish web@2 stock y; to production -a web -e 2 = unknown
        to production -a web -e 1 = yes; verify web@2 stock@1 fails; to production -a web -e 2 = unknown
        deploy stock@1; to production -a web -e 2 = no; ask -a web -e 2 -a shop -e 1 = yes""",
    "two that consume each other need both results, together and alone": """
        publish b@100 a x; verify b@100 a@99; publish a@1 b y; verify a@1 b@100
        ask -a a -e 1 -a b -e 100 --latestby cvpv = unknown; ask -a b -e 100 = unknown; verify b@100 a@1 fails
        ask -a a -e 1 -a b -e 100 = no; ask -a b -e 100 = no; verify b@100 a@1; ask -a b -e 100 -a a -e 1 = yes""",
    "a chain is judged at both ends of the link that is asked about": """
        publish web@1 shop x; verify web@1 shop@2; publish shop@2 stock y; to production -a shop -e 2 = unknown
        verify shop@2 stock@4; to production -a shop -e 2 = unknown; deploy stock@4; to production -a shop -e 2 = yes
        to production -a web -e 1 = unknown; deploy shop@2; to production -a web -e 1 = yes""",
    "the selected of one consumer stand beside the inferred of another": f"""
        {PAIR}; verify web@1 shop@1; publish web@2 shop y; verify web@2 shop@1; publish web@3 shop z
        verify web@3 shop@1 fails; tag web@1 prod; tag web@2 prod; publish cat@20 shop x; tag cat@20 prod
        publish dog@40 shop x; verify dog@40 shop@1 fails
        ask -a shop -e 1 -a web --tag prod --to prod --latestby cvpv = unknown; ask -a shop -e 1 -a web --tag prod = yes
        verify cat@20 shop@1; ask -a shop -e 1 -a web --tag prod --to prod --latestby cvpv = yes""",
    "to ignore a participant excuses that what was named of it is missing": f"""
        {PAIR}; verify web@1 shop@1; ask -a web -e 1 -a shop --latest prod = no
        ask -a web -e 1 -a shop --latest prod --ignore shop = yes; ask -a web -e 1 -a shop -e 9 --ignore shop -e 9 = no
        tag shop@1 prod; verify web@1 shop@1 fails; ask -a web -e 1 -a shop --latest prod = no
        ask -a web -e 1 -a shop --latest prod --ignore shop = yes""",
    "heads of main branches, whatever came to other branches later": f"""
        {PAIR}; create shop@1 develop; create shop@2 develop; create shop@3 feature; verify web@1 shop@2
        verify web@1 shop@3 fails; merge -a web -e 1 = yes; create web@1 develop; publish web@2 shop y; create web@2 fix
        merge -a shop -e 2 = yes; merge -a shop -e 3 = no; create web@2 develop; merge -a shop -e 2 = unknown""",
    "a version on two branches is the head of both, or of one": f"""
        {PAIR}; verify web@1 shop@1; create shop@1 left; create shop@1 right; create shop@2 left
        ask -a web -e 1 -a shop --branch right --latest = yes; ask -a web -e 1 -a shop --branch left --latest = unknown
        ask -a web -e 1 -a shop --branch left = yes""",
    "a version that was undeployed may come back, and another stays away": f"""
        {PAIR}; verify web@1 shop@1 fails; deploy web@1; undeploy web; to production -a shop -e 1 = yes; deploy web@1
        to production -a shop -e 1 = no; publish web@2 shop y; deploy web@2; to production -a shop -e 1 = unknown
        verify web@2 shop@1; to production -a shop -e 1 = yes""",
}
"""A sentence about a Broker -> the history and the questions that show it; lines are parted by semicolons too."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells a history to the commands, line by line."""

    gate: Gate

    def tell(self, line: str) -> None:
        verb, *words = line.split()
        getattr(self, f"_{verb}")(*words)

    def _environment(self, name: str) -> None:
        self.gate.environment(name)

    def _arguments(self, consumer: str, provider: str = "", wanted: str = "", branch: str = "") -> list[str]:
        version = ref(consumer)
        file = [self.gate.shop.pact(pact(version.participant, provider, interaction(wanted)))] if provider else []
        words = ["publish", *file, "-a", version.participant, "-e", version.number]
        return [*words, "--branch", branch] if branch else words

    def _publish(self, consumer: str, provider: str = "", wanted: str = "") -> None:
        for file in (self.gate.shop.root / "contracts" / "pacts").glob("*.json"):
            file.unlink()
        self.gate.ok(*self._arguments(consumer, provider, wanted))

    def _rejected(self, consumer: str, provider: str, wanted: str, branch: str = "") -> None:
        assert self.gate.shop.run_here(*self._arguments(consumer, provider, wanted, branch)).exit_code == 2

    def _create(self, version: str, *branch: str) -> None:
        self._publish(version)
        if branch:
            self.gate.ok(*self._arguments(version, branch=" ".join(branch)))

    def _tag(self, version: str, tag: str) -> None:
        self._publish(version)
        self.gate.ok(*self._arguments(version), "--tag", tag)

    def _verify(self, consumer: str, provider: str, fails: str = "") -> None:
        self.gate.verify(consumer, provider, success=not fails)

    def _deploy(self, version: str, *words: str) -> None:
        at, instance = (words[1], "") if words[:1] == ("at",) else ("production", " ".join(words))
        self.gate.deploy(version, environment=at, instance=instance)

    def _undeployable(self, text: str) -> None:
        version = ref(text)
        words = ["-a", version.participant, "-e", version.number, "--environment", "production"]
        assert self.gate.shop.run_here("record-deployment", *words).exit_code == 2

    def _undeploy(self, name: str, instance: str = "") -> None:
        words = ["-a", name, "--environment", "production"]
        self.gate.ok("record-undeployment", *words, *(["--application-instance", instance] if instance else []))

    def _release(self, text: str, command: str = "record-release") -> None:
        version = ref(text)
        self.gate.ok(command, "-a", version.participant, "-e", version.number, "--environment", "production")

    def _unsupport(self, text: str) -> None:
        self._release(text, "record-support-ended")

    def _refused(self, *words: str) -> None:
        assert self.gate.shop.run_here("can-i-deploy", *words).exit_code == 2

    def _to(self, environment: str, *words: str) -> None:
        self._ask(*words[:-2], "--to-environment", environment, *words[-2:])

    def _merge(self, *words: str) -> None:
        self._ask(*words, command="can-i-merge")

    def _list(self, *words: str) -> None:
        self._ask(*words, command="matrix")

    def _ask(self, *words: str, command: str = "can-i-deploy") -> None:
        *arguments, _, expected = " ".join(words).replace("'my branch'", "'my\0branch'").split()
        plain = [word.strip("'").replace("\0", " ") for word in arguments]
        told = self.gate.ask(command, *plain)
        assert told.broker is ANSWERS[expected], (words, told.document["matrix"])
        assert told.broker or told.verdict != "compatible" or command == "matrix", "never more lenient than a Broker"


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_broker_would_answer(sentence: str, tmp_path: Path) -> None:
    teller = Teller(gate_in(tmp_path))
    for line in SENTENCES[sentence].replace("\n", ";").split(";"):
        if line.strip():
            teller.tell(line.strip())
