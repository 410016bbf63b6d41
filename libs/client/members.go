package client

import (
	"context"
	"iter"

	"oms.internal/libs/client/api"
)

// ListMembers returns a page of the members.
func (c *Client) ListMembers(ctx context.Context, params *api.ListMembersParams) (*Page[api.Member], error) {
	return pageOf[api.Member](c.inSession.ListMembers(ctx, params))
}

// Members walks all members of the list.
func (c *Client) Members(ctx context.Context, params *api.ListMembersParams) iter.Seq2[api.Member, error] {
	return walk(params, func(asked *api.ListMembersParams, cursor string) (*Page[api.Member], error) {
		asked.Cursor, asked.Offset, asked.Limit = &cursor, nil, limitOf(asked.Limit)
		return c.ListMembers(ctx, asked)
	})
}

// ExportMembers returns all members of the list as a file, for admins.
func (c *Client) ExportMembers(ctx context.Context, params *api.ExportMembersParams) (*Export, error) {
	return exportOf(c.streaming.ExportMembers(ctx, params))
}

// GetMember returns a member, or ErrNotModified.
func (c *Client) GetMember(ctx context.Context, id api.ID, params *api.GetMemberParams) (*Member, error) {
	return memberOf(c.inSession.GetMember(ctx, id, params))
}

// ReplaceMember changes a member to what is given. It is not sent again where it may have been done.
func (c *Client) ReplaceMember(ctx context.Context, id api.ID, member api.MemberReplacement, params *api.ReplaceMemberParams) (*Member, error) {
	return memberOf(c.inSession.ReplaceMember(ctx, id, params, member))
}

// ChangeMember changes the fields that are given. It is not sent again where it may have been done.
func (c *Client) ChangeMember(ctx context.Context, id api.ID, change api.MemberChange, params *api.ChangeMemberParams) (*Member, error) {
	return memberOf(c.inSession.ChangeMember(ctx, id, params, change))
}

// DeleteMember removes a member. It is not sent again where it may have been done.
func (c *Client) DeleteMember(ctx context.Context, id api.ID, params *api.DeleteMemberParams) error {
	return done(c.inSession.DeleteMember(ctx, id, params))
}

// ListAuditEvents returns a page of what was done to members and their orders, for admins.
func (c *Client) ListAuditEvents(ctx context.Context, params *api.ListAuditEventsParams) (*Page[api.AuditEvent], error) {
	return pageOf[api.AuditEvent](c.inSession.ListAuditEvents(ctx, params))
}

// AuditEvents walks all events of the list, the newest first.
func (c *Client) AuditEvents(ctx context.Context, params *api.ListAuditEventsParams) iter.Seq2[api.AuditEvent, error] {
	return walk(params, func(asked *api.ListAuditEventsParams, cursor string) (*Page[api.AuditEvent], error) {
		asked.Cursor, asked.Offset, asked.Limit = &cursor, nil, limitOf(asked.Limit)
		return c.ListAuditEvents(ctx, asked)
	})
}
