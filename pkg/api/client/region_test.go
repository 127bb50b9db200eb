package client

import "testing"

func TestRegion(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"a1b2c3.execute-api.eu-west-1.amazonaws.com":     "eu-west-1",
		"a1b2c3.execute-api.cn-north-1.amazonaws.com.cn": "cn-north-1",
		"cloudarq.example.com":                           "eu-north-1",
		"127.0.0.1":                                      "eu-north-1",
	} {
		if got := region(host, "eu-north-1"); got != want {
			t.Errorf("%s is signed for %s, want %s", host, got, want)
		}
	}
	if got := region("cloudarq.example.com", ""); got != "us-east-1" {
		t.Errorf("without a region anywhere: %s", got)
	}
}
