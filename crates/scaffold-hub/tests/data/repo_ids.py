"""Which names `huggingface_hub` takes for repositories: prints `repo_ids.tsv`. Run with huggingface_hub 2.4.0."""

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

IDS = [
    "gpt2", "org/name", "123", "Foo-BAR_foo.bar123", "_org/_name_", "org/na.me", "o/n",
    "a" * 96, "a" * 97, "org/" + "a" * 96, "org/" + "a" * 97, "o" * 96 + "/" + "a" * 96, "o" * 97 + "/a",
    "org/a--b", "a--b/name", "org/a..b", "-org/name", "org-/name", "org/-name", "org/name-", ".org/name", "org/.name",
    "org/name.", "org/name.git", "org/name.GIT", "name.git", "org.git/name", "org/na me", "org/naïve", "/name", "org/",
    "org/name.gguf", "org/a-b_c.d", "org/name:tag", "org/name@rev", "",
]

for id in IDS:
    try:
        validate_repo_id(id)
        print(f"valid\t{id}")
    except HFValidationError:
        print(f"invalid\t{id}")
