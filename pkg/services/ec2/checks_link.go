package ec2

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func linkRules() []check.Rule {
	return []check.Rule{
		check.For("ec2-transit-gateway-no-auto-accept", model.High, noAutoAccept),
		check.For("ec2-vpn-tunnels-up", model.Medium, tunnelsUp),
		check.For("ec2-vpn-logging", model.Low, tunnelsLogged),
		check.For("ec2-client-vpn-logging", model.Low, clientVPNLogged),
	}
}

func noAutoAccept(e *check.Evidence, t TransitGateway) check.Verdict {
	d := check.Read(e, t.Detail)
	return check.Must(d.AutoAccept != "enable", "attachments of other accounts wait for acceptance", "attachments of other accounts are accepted by themselves")
}

func tunnelsUp(e *check.Evidence, v VPNConnection) check.Verdict {
	d := check.Read(e, v.Detail)
	if len(d.Tunnels) < 2 {
		return check.Failed("AWS tells of fewer than two tunnels")
	}
	for _, t := range d.Tunnels {
		if t.Status != "UP" {
			return check.Failed("tunnel " + t.Address + " is down")
		}
	}
	return check.Passed("both tunnels are up")
}

func tunnelsLogged(e *check.Evidence, v VPNConnection) check.Verdict {
	d := check.Read(e, v.Detail)
	for _, t := range d.Tunnels {
		if !t.Logged {
			return check.Failed("tunnel " + t.Address + " is not logged")
		}
	}
	return check.Must(len(d.Tunnels) > 0, "the tunnels are logged", "no tunnel is logged")
}

func clientVPNLogged(e *check.Evidence, v ClientVPN) check.Verdict {
	d := check.Read(e, v.Detail)
	return check.Must(d.Logged, "connections are logged", "connections are not logged")
}
