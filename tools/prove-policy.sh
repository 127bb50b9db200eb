#!/usr/bin/env bash
# Proves, on a copy of the repository, that the policy is the code: a call that
# is added to a collector, or removed from it, stops the build until everything
# that is published of it has been made anew. internal/operations tests the
# finding of calls in more forms, and faster.
set -euo pipefail
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --null -T - --ignore-failed-read -cf - | tar -C "$copy" -xf -
cd "$copy"
collector=pkg/services/kms/collect/collect.go
original=$(<"$collector")

current() { go test -count=1 -timeout 200s -run TestGeneratedFilesAreCurrent ./internal/generate; }
generate() { go run ./internal/generate .; }

# must NAME pass|fail TEXT COMMAND...: the command ends as said, and says TEXT.
must() {
	local name=$1 want=$2 text=$3 got=pass said
	shift 3
	said=$("$@" 2>&1) || got=fail
	if [ "$got" != "$want" ] || ! grep -qF -- "$text" <<<"$said"; then
		printf 'prove-policy: %s: %s, want %s with "%s"\n%s\n' "$name" "$got" "$want" "$text" "$said" >&2
		exit 1
	fi
	echo "prove-policy: $name: ok"
}

must "unchanged" pass "ok" current

# A call that no walk declares is named by file and line, and nothing is written.
cat >>"$collector" <<'GO'

func added(ctx context.Context, client *sdk.Client) error {
	_, err := client.ListAliases(ctx, &sdk.ListAliasesInput{})
	return err
}
GO
line=$(grep -n 'client.ListAliases' "$collector" | cut -d: -f1)
must "a call is added" fail "$collector:$line: KMS.ListAliases is called, and no walk" current
must "a call is added, generating" fail "KMS.ListAliases is called, and no walk" generate

# Declared, its action is looked up, and the role becomes one of a newer version.
sed -i 's/"KMS.ListKeys", /"KMS.ListKeys", "KMS.ListAliases", /' "$collector"
must "the call is declared" fail "is stale; run make generate" current
version=$(<pkg/policy/version.go)
must "generated" pass "" generate
must "the policy has a newer version" fail "" test "$version" = "$(<pkg/policy/version.go)"
must "the files are current" pass "ok" current
for published in pkg/policy/operations.tsv pkg/policy/actions.tsv docs/policy.md cloudformation/audit-role.yaml cloudformation/audit-role-stackset.yaml terraform/audit-role/main.tf; do
	must "$published has it" pass "ListAliases" cat "$published"
done
must "the policy is whole" pass "ok" go test -count=1 -timeout 100s ./pkg/policy

# A call that is no read is refused for what it is, and nothing is written.
sed -i 's/ListAliases/DisableKeyRotation/g' "$collector"
must "the call is no read" fail "no harmless read" generate

# A call that is gone leaves a declaration behind.
printf '%s\n' "$original" | sed 's/"KMS.ListKeys", /"KMS.ListKeys", "KMS.ListAliases", /' >"$collector"
must "the call is removed" fail "KMS.ListAliases is declared, and nothing in pkg/services/kms/collect calls it" current

# With the declaration gone as well, what is published allows too much.
printf '%s\n' "$original" >"$collector"
must "its declaration is removed" fail "is stale; run make generate" current
must "generated again" pass "" generate
must "the files are current again" pass "ok" current
must "the policy is whole again" pass "ok" go test -count=1 -timeout 100s ./pkg/policy
