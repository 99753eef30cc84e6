"""What can go wrong, by name. One root; a class's docstring is its default message."""

from django.db.models import TextChoices


def _(text: str) -> str:
    """Marks a sentence for the catalogue. The pages translate it; here, and in the database, it stays English."""
    return text


class FailureCode(TextChoices):
    """Why a file was not indexed, or only in part: the closed list. Each label is advice for a person."""

    EMPTY_FILE = "empty_file", _("The file has no content.")
    TOO_LARGE = "too_large", _("The file is larger than this site accepts.")
    NOT_SUPPORTED = "format_not_supported", _("This format is not supported yet.")
    NAME_LIES = "name_lies", _("The file's content is not what its name says; it was read as what it is.")
    UNSAFE_PATH = "unsafe_path", _("The file's path points outside its folder.")
    ENCRYPTED = (
        "encrypted",
        _("The file is protected by a password. Remove the password and upload it again."),
    )
    CORRUPT = "corrupt", _("The file is damaged and cannot be read. Try to export it again.")
    NO_PAGES = "no_pages", _("The document has no pages.")
    NO_CONTENT = "no_content", _("Nothing that can be searched was found in the file.")
    ENCODING_GUESSED = "encoding_guessed", _("The text's encoding is not stated; it was guessed.")
    BYTES_REPLACED = "bytes_replaced", _("Some bytes are no valid text; they were replaced.")
    PAGES_CAPPED = (
        "pages_capped",
        _("The document is longer than the limit; only its first pages are searchable."),
    )
    TEXT_CAPPED = "text_capped", _("The text is longer than the limit; only its beginning is searchable.")
    TOO_MANY_PIXELS = "too_many_pixels", _("The picture is larger than the limit. Scale it down.")
    PAGE_UNREADABLE = "page_unreadable", _("A page could not be read; the others are searchable.")
    FIGURE_UNREADABLE = "figure_unreadable", _("A picture in the document could not be read.")
    UNSAFE_MEMBER = (
        "unsafe_member",
        _("Entries of the archive that are links or point outside of it were left out."),
    )
    MEMBERS_CAPPED = (
        "members_capped",
        _("The file holds more files than the limit; only the first of them are searchable."),
    )
    NESTED_TOO_DEEP = (
        "nested_too_deep",
        _("The file lies too many archives or messages deep; what is inside it was not opened."),
    )
    MEDIA_DAMAGED = "media_damaged", _("Part of the recording is damaged; the rest is searchable.")
    RECORDING_CAPPED = (
        "recording_capped",
        _("The recording is longer than the limit; only its beginning is searchable."),
    )
    TIME_LIMIT = "time_limit", _("Reading the file took longer than the limit.")
    MEMORY_LIMIT = "memory_limit", _("Reading the file took more memory than the limit.")
    OUTPUT_LIMIT = "output_limit", _("The file unpacks to more than the limit.")
    PARSER_CRASHED = "parser_crashed", _("The reader of this format crashed on the file.")
    CONVERTER_MISSING = "converter_missing", _("This format needs a converter that is not installed here.")
    WORKER_LOST = "worker_lost", _("The work was interrupted too often. Retry it.")
    STORAGE_UNAVAILABLE = "storage_unavailable", _("The object store did not answer. Retry it.")
    SOURCE_UNREADABLE = (
        "source_unreadable",
        _("The file could not be read where it is kept. The next scan tries again."),
    )
    INTERNAL = (
        "internal",
        _("An unexpected error, which the log explains. Retry it, then tell the operators."),
    )


class KbError(Exception):
    """Something went wrong in the knowledge base."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class IngestError(KbError):
    """The file could not be brought in.

    `code` is the reason from the closed list; the message defaults to the code's advice.
    """

    def __init__(self, code: FailureCode, message: str | None = None) -> None:
        super().__init__(message or str(code.label))
        self.code = code


class QueryError(KbError):
    """The query cannot be answered as it stands."""


class StorageError(KbError):
    """The object store failed."""


class ObjectMissingError(StorageError):
    """No object has this key."""
