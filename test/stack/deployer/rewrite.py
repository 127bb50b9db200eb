"""What moto cannot resolve, resolved before it sees it."""

from collections.abc import Callable
from dataclasses import dataclass

from deployer.resolve import NO_VALUE


@dataclass
class Rewriting:
    """References to resources that the emulator does not have, and conditions, of which moto leaves null in lists."""

    stand_ins: dict[str, str]  # names in place of such resources
    aliases: dict[str, str]  # functions in place of their aliases
    condition: Callable[[str], bool]

    def of(self, value):
        if isinstance(value, list):
            return [each for each in map(self.of, value) if each is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            match function:
                case "Ref":
                    return self._ref(argument)
                case "Fn::GetAtt":
                    name = argument.split(".")[0] if isinstance(argument, str) else argument[0]
                    return self.stand_ins.get(name, value)
                case "Fn::Sub":
                    text, *variables = argument if isinstance(argument, list) else [argument]
                    return {"Fn::Sub": [self._text(text), *self.of(variables)] if variables else self._text(text)}
                case "Fn::If":
                    name, then, otherwise = argument
                    return self.of(then if self.condition(name) else otherwise)
        rewritten = {key: self.of(each) for key, each in value.items()}
        return {key: each for key, each in rewritten.items() if each is not NO_VALUE}

    def _ref(self, name: str):
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.aliases:
            return {"Fn::GetAtt": [self.aliases[name], "Arn"]}
        return self.stand_ins.get(name, {"Ref": name})

    def _text(self, text: str) -> str:
        for alias, function in self.aliases.items():
            text = text.replace("${" + alias + "}", "${" + function + ".Arn}")
        for name, stand_in in self.stand_ins.items():
            text = text.replace("${" + name + "}", stand_in)
        return text
