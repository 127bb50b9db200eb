package api

import (
	"context"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

type receiptAnswer struct{ Body model.Receipt }

func (a *API) deleteConnection(ctx context.Context, in *struct {
	ConnectionPath
	IfMatch string `header:"If-Match" doc:"The ETag of the connection as it was read"`
},
) (*receiptAnswer, error) {
	receipt, err := a.deleteOne(ctx, in.Connection, in.IfMatch)
	if err != nil {
		return nil, err
	}
	return &receiptAnswer{receipt}, nil
}

func (a *API) deleteOne(ctx context.Context, connection, ifMatch string) (model.Receipt, error) {
	c, err := a.connection(ctx, connection)
	if err != nil {
		return model.Receipt{}, err
	}
	if err := matches(ctx, ifMatch, c.Version, "the connection"); err != nil {
		return model.Receipt{}, err
	}
	receipt, err := a.Pipeline.Delete(ctx, a.by(ctx), callerOf(ctx).Organization, c)
	return receipt, a.answer(ctx, err)
}

func (a *API) getReceipt(ctx context.Context, in *ConnectionPath) (*receiptAnswer, error) {
	if !callerOf(ctx).AllProjects { // a receipt does not say whose project it was
		return nil, a.answer(ctx, store.ErrNotFound)
	}
	receipt, err := a.org(ctx).Receipt(ctx, model.ConnectionID(in.Connection))
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	return &receiptAnswer{receipt}, nil
}
