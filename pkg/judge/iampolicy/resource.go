package iampolicy

import "fmt"

// ParseResource is [Parse] for the policy of a resource, whose statements each must say
// whom they are about. Of one that does not, AWS accepts none, so nobody knows what the
// answer lost.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html, 29 November 2026.
func ParseResource(doc string) (Policy, error) {
	p, err := Parse(doc)
	if err != nil {
		return Policy{}, err
	}
	for i := range p.Statements {
		if s := &p.Statements[i]; s.Principal.IsZero() && s.NotPrincipal.IsZero() {
			return Policy{}, fmt.Errorf("%w: %s names no principal", ErrMalformed, s.Name())
		}
	}
	return p, nil
}
