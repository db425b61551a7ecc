"""What fits: the parameters of a search, and the fields of a new song."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, RegexValidator


class Parameter(forms.Field):
    empty_values = (None,)  # one that is sent empty is not one that is missing


class Digits(forms.IntegerField):
    empty_values = (None,)

    def to_python(self, value: str | None) -> int | None:
        if value is not None and not re.fullmatch("[0-9]+", value):
            raise ValidationError("not in plain digits")  # int() takes " 5", "+5" and "1_0"
        return super().to_python(value)


class Search(forms.Form):
    q = Parameter(required=False, validators=[MaxLengthValidator(100)])
    limit = Digits(required=False, min_value=1, max_value=100)
    cursor = Parameter(required=False, validators=[RegexValidator(r"^[a-z0-9-]{1,100}\Z")])

    def clean(self) -> None:
        for name in self.fields:
            if len(self.data.getlist(name)) > 1:
                self.add_error(name, "sent twice")


class Text(forms.CharField):
    default_validators = (RegexValidator(r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+\Z"),)

    def to_python(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValidationError("not a text")  # CharField makes a text of anything
        return value


class WholeNumber(forms.IntegerField):
    def to_python(self, value: object) -> int:
        if type(value) is not int:
            raise ValidationError("not a whole number")  # IntegerField takes "1810", bool is an int
        return value


class NewSong(forms.Form):
    title = Text(max_length=100, validators=[RegexValidator("[A-Za-z0-9]")])
    composer = Text(max_length=100)
    year = WholeNumber(min_value=1, max_value=2100)
    genre = Text(max_length=40)

    def clean(self) -> None:
        if not self.data.keys() <= self.fields.keys():
            self.add_error(None, "a field too many")
