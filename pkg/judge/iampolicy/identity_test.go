package iampolicy_test

import "testing"

func TestAllows(t *testing.T) {
	for name, c := range map[string]struct {
		policy           string
		action, resource string
		want             bool
	}{
		"exact":                   {`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}`, "s3:GetObject", "arn:aws:s3:::b/x", true},
		"case of actions":         {`{"Effect": "Allow", "Action": "S3:getobject", "Resource": "*"}`, "s3:GetObject", "*", true},
		"pattern":                 {`{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}`, "s3:GetObject", "arn:aws:s3:::b/x", true},
		"other resource":          {`{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}`, "s3:GetObject", "*", false},
		"some resource":           {`{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}`, "s3:GetObject", "", true},
		"question wider":          {`{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}`, "s3:*", "*", false},
		"question as wide":        {`{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}`, "s3:*", "*", true},
		"one character":           {`{"Effect": "Allow", "Action": "s3:?etObject", "Resource": "*"}`, "s3:GetObject", "*", true},
		"NotAction":               {`{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}`, "s3:*", "*", true},
		"NotAction hit":           {`{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}`, "iam:PassRole", "*", false},
		"NotResource":             {`{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/*"}`, "s3:GetObject", "arn:aws:s3:::c/*", true},
		"NotResource hit":         {`{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/*"}`, "s3:GetObject", "arn:aws:s3:::b/x", false},
		"with a condition":        {`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}`, "*", "*", true},
		"denied":                  {`{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}`, "iam:PassRole", "*", false},
		"denied at times":         {`{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}`, "iam:PassRole", "*", true},
		"denied in part":          {`{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "arn:aws:iam::1:role/x"}`, "iam:PassRole", "*", true},
		"denied, some resource":   {`{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "arn:aws:iam::1:role/x"}`, "iam:PassRole", "", true},
		"denied, other action":    {`{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}`, "iam:*", "*", true},
		"nothing":                 {``, "s3:GetObject", "", false},
		"star star as everything": {`{"Effect": "Allow", "Action": "*:*", "Resource": "*"}`, "*", "*", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, c.policy).Allows(c.action, c.resource); got != c.want {
				t.Errorf("Allows(%s, %s) = %t", c.action, c.resource, got)
			}
		})
	}
}

func TestAdminAndFullAccess(t *testing.T) {
	for name, c := range map[string]struct {
		policy      string
		admin, full bool // full: of cloudtrail
	}{
		"admin":              {`{"Effect": "Allow", "Action": "*", "Resource": "*"}`, true, true},
		"admin by list":      {`{"Effect": "Allow", "Action": ["s3:*", "*:*"], "Resource": ["arn:aws:s3:::b", "*"]}`, true, true},
		"admin of one thing": {`{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b"}`, false, false},
		"all but IAM":        {`{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}`, false, true},
		"the service":        {`{"Effect": "Allow", "Action": "cloudtrail:*", "Resource": "*"}`, false, true},
		"part of it":         {`{"Effect": "Allow", "Action": "cloudtrail:Get*", "Resource": "*"}`, false, false},
		"admin by ARN":       {`{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:*"}`, true, true},
		"admin by parts":     {`{"Effect": "Allow", "Action": "*", "Resource": "arn:*:*:*:*:*"}`, true, true},
		"admin by letters":   {`{"Effect": "Allow", "Action": "?*:?*", "Resource": "*"}`, true, true},
		"in China":           {`{"Effect": "Allow", "Action": "*", "Resource": "arn:aws-cn:*"}`, true, false},
		"power user and IAM": {`{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}, {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}`, true, true},
		"IAM denied":         {`{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}`, false, true},
		"a letter at least":  {`{"Effect": "Allow", "Action": "cloudtrail:?*", "Resource": "*"}`, false, true},
		"every trail":        {`{"Effect": "Allow", "Action": "cloudtrail:*", "Resource": "arn:aws:cloudtrail:*:*:trail/*"}`, false, true},
		"one trail":          {`{"Effect": "Allow", "Action": "cloudtrail:*", "Resource": "arn:aws:cloudtrail:*:*:trail/main"}`, false, false},
		"admin denied":       {`{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "*"}`, false, false},
		"service denied":     {`{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "cloudtrail:*", "Resource": "*"}`, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, c.policy)
			if p.IsAdmin() != c.admin || p.Allows("cloudtrail:?*", "arn:aws:cloudtrail:*:111122223333:trail/*") != c.full {
				t.Errorf("admin %t, full access %t", p.IsAdmin(), p.Allows("cloudtrail:?*", "arn:aws:cloudtrail:*:111122223333:trail/*"))
			}
		})
	}
}

func TestRefusesCustomerKeys(t *testing.T) {
	deny := func(condition string) string {
		return `{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"` + condition + `}`
	}
	const algorithm = `"s3:x-amz-server-side-encryption-customer-algorithm"`
	for name, c := range map[string]struct {
		policy string
		want   bool
	}{
		"whatever algorithm": {deny(`, "Condition": {"Null": {` + algorithm + `: "false"}}`), true},
		"the only algorithm": {deny(`, "Condition": {"StringEquals": {` + algorithm + `: "AES256"}}`), true},
		"the wrong way":      {deny(`, "Condition": {"Null": {` + algorithm + `: "true"}}`), false},
		"another algorithm":  {deny(`, "Condition": {"StringNotEquals": {` + algorithm + `: "AES256"}}`), false},
		"also a network":     {deny(`, "Condition": {"Null": {` + algorithm + `: "false"}, "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}`), false},
		"another key":        {deny(`, "Condition": {"Null": {"s3:x-amz-server-side-encryption": "false"}}`), false},
		"some objects":       {`{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/logs/*", "Condition": {"Null": {` + algorithm + `: "false"}}}`, false},
		"one principal":      {`{"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "s3:PutObject", "Resource": "*", "Condition": {"Null": {` + algorithm + `: "false"}}}`, false},
		"reading":            {`{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*", "Condition": {"Null": {` + algorithm + `: "false"}}}`, false},
		"an Allow":           {`{"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "*", "Condition": {"Null": {` + algorithm + `: "false"}}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, c.policy).RefusesCustomerKeys("arn:aws:s3:::b/*"); got != c.want {
				t.Errorf("%t", got)
			}
		})
	}
}

func TestRequiresTLS(t *testing.T) {
	bucket := []string{"arn:aws:s3:::b", "arn:aws:s3:::b/*"}
	deny := func(rest string) string { return `{"Effect": "Deny", ` + rest + `}` }
	plain := `, "Condition": {"Bool": {"aws:SecureTransport": "false"}}`
	for name, c := range map[string]struct {
		policy string
		want   bool
	}{
		"both":            {deny(`"Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]` + plain), true},
		"pattern":         {deny(`"Principal": {"AWS": "*"}, "Action": "*", "Resource": "arn:aws:s3:::b*"` + plain), true},
		"two statements":  {deny(`"Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b"`+plain) + "," + deny(`"Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"`+plain), true},
		"boolean":         {deny(`"Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"AWS:securetransport": false}}`), true},
		"IfExists":        {deny(`"Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}}`), true},
		"no resource":     {deny(`"Principal": "*", "Action": "*"` + plain), true},
		"objects only":    {deny(`"Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"` + plain), false},
		"bucket only":     {deny(`"Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b"` + plain), false},
		"one action":      {deny(`"Principal": "*", "Action": "s3:GetObject", "Resource": "*"` + plain), false},
		"one principal":   {deny(`"Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"` + plain), false},
		"also a network":  {deny(`"Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}, "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}`), false},
		"the wrong way":   {deny(`"Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}`), false},
		"TLS version":     {deny(`"Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}}`), false},
		"an Allow":        {`{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}`, false},
		"nothing":         {``, false},
		"another bucket":  {deny(`"Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::c", "arn:aws:s3:::c/*"]` + plain), false},
		"no NotPrincipal": {deny(`"NotPrincipal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"` + plain), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parse(t, c.policy).RequiresTLS([]string{"s3:*"}, bucket); got != c.want {
				t.Errorf("%t", got)
			}
		})
	}
}
