"""Forms of the ground floor; they check and never save."""

from crispy_forms.helper import FormHelper
from django import forms
from django.core.files.uploadedfile import UploadedFile

from schools.roster.opening import MAX_FILE, MAX_UPLOAD


class RosterUpload(forms.Form):
    """One roster file."""

    roster = forms.FileField(
        label="Roster file",
        help_text="A OneRoster 1.1 or 1.2 zip, or one contacts CSV.",
        widget=forms.FileInput(attrs={"accept": ".csv,.zip"}),
        error_messages={"empty": "The file is empty."},
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_roster(self) -> UploadedFile:
        """Refuse what is too large before it is kept."""
        file = self.cleaned_data["roster"]
        zipped = (file.name or "").lower().endswith(".zip")
        most = MAX_UPLOAD if zipped else MAX_FILE
        if file.size > most:
            raise forms.ValidationError(
                f"The file is larger than {most // (1024 * 1024)} MB."
            )
        return file


class RosterApproval(forms.Form):
    """The press that applies a roster; a number where too much would vanish."""

    losing = forms.IntegerField(required=False, widget=forms.HiddenInput)
    agreed = forms.BooleanField(required=False)

    def agreed_to_lose(self) -> int | None:
        """The number the ticked box named, or None."""
        data = self.cleaned_data
        return data.get("losing") if data.get("agreed") else None
