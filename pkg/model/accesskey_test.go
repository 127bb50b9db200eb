package model_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

func TestKeyAge(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		after time.Duration
		days  int
		state model.KeyAgeState
	}{
		"made in a moment":     {-time.Hour, 0, model.KeyFresh},
		"just made":            {0, 0, model.KeyFresh},
		"before the 75th day":  {75*24*time.Hour - time.Nanosecond, 74, model.KeyFresh},
		"after 75 full days":   {75 * 24 * time.Hour, 75, model.KeyWarning},
		"before the 90th day":  {90*24*time.Hour - time.Nanosecond, 89, model.KeyWarning},
		"after 90 full days":   {90 * 24 * time.Hour, 90, model.KeyOverdue},
		"after a thousand":     {1000 * 24 * time.Hour, 1000, model.KeyOverdue},
		"in another time zone": {80 * 24 * time.Hour, 80, model.KeyWarning},
	} {
		age := (&model.AccessKey{Since: made}).Age(made.Add(c.after).In(time.FixedZone("there", 12*3600)))
		if age.Days != c.days || age.State != c.state || (age.Advice() == "") != (c.state == model.KeyFresh) {
			t.Errorf("%s: %+v, %q; want %d days, %s", name, age, age.Advice(), c.days, c.state)
		}
	}
	if age := (*model.AccessKey)(nil).Age(made); age != nil {
		t.Errorf("no key has the age %+v", age)
	}
	if advice := (model.KeyAge{Days: 80, State: model.KeyWarning}).Advice(); !strings.Contains(advice, "within 10 days") {
		t.Error(advice)
	}
}

func TestConnectionKind(t *testing.T) {
	t.Parallel()
	for want, c := range map[model.ConnectionKind]model.Connection{
		model.KindNone: {}, model.KindRole: {RoleARN: "arn"}, model.KindAccessKey: {AccessKey: &model.AccessKey{}},
	} {
		if got := c.Kind(); got != want {
			t.Errorf("%+v is of kind %s, want %s", c, got, want)
		}
	}
}
