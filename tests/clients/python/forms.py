"""What noise is held to: types of every kind that programs ask for."""

import datetime
import enum
import typing
import uuid

import pydantic


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Address(pydantic.BaseModel):
    street: str = pydantic.Field(max_length=30)
    number: int = pydantic.Field(ge=1, le=9999)
    note: typing.Optional[str] = pydantic.Field(default=None, max_length=20)


class Person(pydantic.BaseModel):
    """Nested, with enums, lists, what may be left out, and texts of given forms."""

    name: str = pydantic.Field(min_length=1, max_length=30)
    age: int = pydantic.Field(ge=0, le=130)
    colour: Colour
    level: Level
    address: Address
    others: list[Address] = pydantic.Field(max_length=2)
    nick: typing.Optional[str] = pydantic.Field(default=None, max_length=10)
    code: str = pydantic.Field(pattern="^[A-Z]{2}-[0-9]{3}$")


class Times(pydantic.BaseModel):
    day: datetime.date
    moment: datetime.datetime
    clock: datetime.time
    length: datetime.timedelta
    id: uuid.UUID


class Numbers(pydantic.BaseModel):
    whole: int
    part: float = pydantic.Field(gt=-1, lt=1)
    step: int = pydantic.Field(multiple_of=5, ge=-100, le=100)
    pair: tuple[int, bool]
    either: typing.Union[int, bool, None]


class Cat(pydantic.BaseModel):
    kind: typing.Literal["cat"]
    lives: int = pydantic.Field(ge=0, le=9)


class Dog(pydantic.BaseModel):
    kind: typing.Literal["dog"]
    tricks: list[Colour] = pydantic.Field(max_length=3)


class Owner(pydantic.BaseModel):
    """A union that is told apart by a word, and one that is not."""

    pet: typing.Union[Cat, Dog] = pydantic.Field(discriminator="kind")
    more: list[typing.Union[Cat, Dog]] = pydantic.Field(max_length=2)
    home: typing.Union[Address, typing.Literal["none"]]


class Tree(pydantic.BaseModel):
    """A type within itself."""

    value: int = pydantic.Field(ge=0, le=9)
    parts: list["Tree"] = pydantic.Field(max_length=2)


class Counts(pydantic.BaseModel):
    """Names of one's own choice."""

    counts: dict[str, int]
    flags: dict[Colour, bool]


class Plain(pydantic.BaseModel):
    """Without bounds, which Anthropic's client leaves out of schemas."""

    name: str
    colour: Colour
    sure: typing.Optional[bool]
    places: list[Colour]
    home: typing.Union[float, typing.Literal["none"]]


# OpenAI's client writes schemas in a way that knows no objects with names of one's own.
STRICT = [Person, Times, Numbers, Owner, Tree]
ALL = STRICT + [Counts]
