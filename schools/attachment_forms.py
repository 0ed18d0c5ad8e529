"""Forms for what hangs on a plan; they check and never save."""

from django import forms
from django.core.files.uploadedfile import UploadedFile

from schools.models import Audience, PlanAttachment, RallyPoint
from schools.plan_files import MAX_PDF

READERS = [
    (Audience.STAFF.value, "Staff and responders"),
    (Audience.RESPONDER.value, "Responders and the school’s leaders"),
]


class AttachmentForm(forms.Form):
    """One file with the words that stand for it."""

    file = forms.FileField(
        label="File",
        help_text="A PNG, JPEG or WebP picture, or a PDF, up to 20 MB. Pictures are "
        "drawn anew: where and with what they were taken is not kept.",
        widget=forms.FileInput(
            attrs={"accept": "image/png,image/jpeg,image/webp,application/pdf"}
        ),
        error_messages={"empty": "The file is empty."},
    )
    kind = forms.ChoiceField(label="What it is", choices=PlanAttachment.Kind.choices)
    title = forms.CharField(label="Title", max_length=120)
    description = forms.CharField(
        label="What it shows, in words",
        max_length=500,
        help_text="For those who cannot see it, and for when it does not print.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    audience = forms.ChoiceField(label="For whom", choices=READERS)

    def clean_file(self) -> UploadedFile:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > MAX_PDF:
            raise forms.ValidationError(
                f"The file is larger than {MAX_PDF // 2**20} MB. Nothing was kept."
            )
        return file


class RallyPointForm(forms.Form):
    """A place people go to."""

    name = forms.CharField(label="Name", max_length=120)
    use = forms.ChoiceField(label="For", choices=RallyPoint.Use.choices)
    where = forms.CharField(
        label="Where", max_length=200, help_text="As you would tell a driver"
    )
    note = forms.CharField(label="Note", max_length=300, required=False)
    audience = forms.ChoiceField(label="For whom", choices=READERS)


class RestrictForm(forms.Form):
    """Why something is security information."""

    because = forms.CharField(
        label="Why this is security information",
        help_text="Kept with your name and the time (Minn. Stat. 13.37).",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
