"""What refusals mean, by texts as the client gave them; those of servers are in test_cloud."""

import pytest

from labelingest.storage.cloud.errors import Concern, Operation, cloud_error, refusal_of
from labelingest.storage.urls import place_of

REFUSED = "Generic S3 error: Error performing GET https://h/b/k?X-Amz-Signature=HIDDEN in 8ms"
ANSWER = f"{REFUSED} - Server returned non-2xx status code: "
CASES = [
    (
        "Generic S3 error: Error performing PUT http://169.254.169.254/latest/api/token in 1s - "
        "HTTP error: error sending request",
        Concern.STORAGE,
        "no credentials were found; set AWS_ACCESS_KEY_ID",
    ),
    (
        f"{ANSWER}403 Forbidden: <Error><Code>InvalidAccessKeyId</Code>"
        "<AWSAccessKeyId>HIDDEN</AWSAccessKeyId></Error>",
        Concern.STORAGE,
        "the credentials were refused (403 InvalidAccessKeyId)",
    ),
    (
        f"{ANSWER}403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code>"
        "<StringToSign>HIDDEN</StringToSign></Error>",
        Concern.STORAGE,
        "the credentials were refused (403 SignatureDoesNotMatch)",
    ),
    (
        f"{ANSWER}400 Bad Request: <Error><Code>ExpiredToken</Code><Token-0>HIDDEN</Token-0></Error>",
        Concern.STORAGE,
        "have not expired",
    ),
    (
        f"{ANSWER}403 Forbidden: <Error><Code>AccessDenied</Code></Error>",
        Concern.FILE,
        "access denied (403 AccessDenied); check that the credentials allow s3:GetObject",
    ),
    (
        f"{ANSWER}400 Bad Request: <Error><Code>AuthorizationHeaderMalformed</Code>"
        "<Region>eu-west-1</Region></Error>",
        Concern.STORAGE,
        "another region (400 AuthorizationHeaderMalformed); set AWS_REGION",
    ),
    (
        f"{ANSWER}400 Bad Request: <Error><Code>KMS.DisabledException</Code></Error>",
        Concern.FILE,
        "the storage refused the request (400)",
    ),
    (
        f"{ANSWER}404 Not Found: <Error><Code>NoSuchKey</Code></Error>",
        Concern.FILE,
        "no such file or folder",
    ),
    (
        f"{REFUSED}, after 3 retries - HTTP error: error sending request\n\nDebug source:\n"
        "HttpError { kind: Timeout, source: HIDDEN }",
        Concern.MOMENT,
        "no answer came in time",
    ),
    (REFUSED, Concern.MOMENT, "no connection to the storage"),
]


@pytest.mark.parametrize(("text", "concern", "sentence"), CASES)
def test_a_refusal_says_whom_it_concerns_and_what_to_check(
    text: str, concern: Concern, sentence: str
) -> None:
    place = place_of("s3://bucket/drive/")
    error = OSError(text)
    assert refusal_of(error, place, Operation.READ).concern is concern
    said = str(cloud_error(error, place, Operation.READ, "a.txt"))
    assert said.startswith("s3://bucket/drive/: 'a.txt' cannot be read: ")
    assert sentence in said
    assert "HIDDEN" not in said


def test_a_key_may_read_like_a_message() -> None:
    key = 'status code: 503 <Code>NoSuchBucket</Code> 169.254.169.254 Path "" response body'
    error = FileNotFoundError(f"Object at location {key} not found: {REFUSED}")
    refusal = refusal_of(error, place_of("s3://bucket/"), Operation.READ)
    assert refusal.concern is Concern.FILE
