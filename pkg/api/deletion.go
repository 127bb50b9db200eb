package api

import (
	"context"

	"github.com/cloudarq/cloudarq/pkg/model"
)

type receiptAnswer struct{ Body model.Receipt }

func (a *API) deleteConnection(ctx context.Context, in *struct {
	ConnectionPath
	IfMatch string `header:"If-Match" doc:"The ETag of the connection as it was read"`
},
) (*receiptAnswer, error) {
	org := a.Store.For(in.id())
	c, err := org.Connection(ctx, model.ConnectionID(in.Connection))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	if err := matches(ctx, in.IfMatch, c.Version, "the connection"); err != nil {
		return nil, err
	}
	receipt, err := a.Pipeline.Delete(ctx, a.by(ctx), in.id(), c)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &receiptAnswer{receipt}, nil
}

func (a *API) getReceipt(ctx context.Context, in *ConnectionPath) (*receiptAnswer, error) {
	receipt, err := a.Store.For(in.id()).Receipt(ctx, model.ConnectionID(in.Connection))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &receiptAnswer{receipt}, nil
}
