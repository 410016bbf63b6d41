package nats_test

import (
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
)

// deleted is what the consumer of orders filters, and audited what that of accounts does. auditedBefore is what the release before publishes.
var (
	deleted       = events.SubjectOf(accounts.Service, accounts.EventDeleted)
	audited       = events.AuditSubjectOf(orders.Service)
	auditedBefore = events.SubjectOf(orders.Service, orders.EventAudited)
)

// eventRights are who may use the subjects of events and of JetStream: those of each event and of the tasks around them,
// and what would let somebody read, forge, lose or redirect events.
func eventRights() []right {
	all := []right{
		{"oms.events.accounts.>", may("accounts"), may()},
		{"oms.events.orders.>", may("orders"), may()},

		{"$JS.API.STREAM.CREATE.OMS_EVENTS", may("accounts", "orders"), may()},
		{"$JS.API.STREAM.UPDATE.OMS_EVENTS", may("ops"), may()},
		{"$JS.API.STREAM.INFO.OMS_EVENTS", may("ops"), may()},
		{"$JS.API.STREAM.MSG.GET.OMS_EVENTS", may("ops"), may()},
		{"$JS.API.CONSUMER.INFO.OMS_EVENTS.orders", may("ops"), may()},

		{"$JS.API.CONSUMER.CREATE.OMS_EVENTS.orders." + deleted, may("orders"), may()},
		{"$JS.API.CONSUMER.MSG.NEXT.OMS_EVENTS.orders", may("orders"), may()},
		{"$JS.ACK.OMS_EVENTS.orders.1.2.3.4.5", may("orders"), may()},
		{"$JS.ACK.OMS_EVENTS.orders.>", may("orders"), may()},

		{audited, may("orders"), may()},
		{"$JS.API.STREAM.CREATE.OMS_AUDIT", may("accounts", "orders"), may()},
		{"$JS.API.STREAM.INFO.OMS_AUDIT", may("ops"), may()},
		{"$JS.API.CONSUMER.INFO.OMS_AUDIT.accounts", may("ops"), may()},
		{"$JS.API.CONSUMER.CREATE.OMS_AUDIT.accounts." + audited, may("accounts"), may()},
		{"$JS.API.CONSUMER.MSG.NEXT.OMS_AUDIT.accounts", may("accounts"), may()},
		{"$JS.ACK.OMS_AUDIT.accounts.1.2.3.4.5", may("accounts"), may()},
		{"$JS.ACK.OMS_AUDIT.accounts.>", may("accounts"), may()},

		{"$JS.API.CONSUMER.CREATE.OMS_EVENTS.accounts." + auditedBefore, may("accounts"), may()},
		{"$JS.API.CONSUMER.MSG.NEXT.OMS_EVENTS.accounts", may("accounts"), may()},
		{"$JS.ACK.OMS_EVENTS.accounts.1.2.3.4.5", may("accounts"), may()},
		{"$JS.ACK.OMS_EVENTS.accounts.>", may("accounts"), may()},
	}
	for _, kind := range []string{accounts.EventCreated, accounts.EventChanged, accounts.EventDeleted} {
		all = append(all, right{events.SubjectOf(accounts.Service, kind), may("accounts"), may()})
	}
	for _, kind := range []string{orders.EventCreated, orders.EventChanged, orders.EventTransition, orders.EventDeleted, orders.EventAudited} {
		all = append(all, right{events.SubjectOf(orders.Service, kind), may("orders"), may()})
	}
	for _, subject := range []string{
		"oms.events", "oms.events.>", "oms.events.*", "oms.events.*.>", "oms.events.*.deleted.v1", "oms.events.accounts",
		"oms.events.gateway.x", "oms.events.ops.x", "OMS_EVENTS",
		"oms.audit", "oms.audit.>", "oms.audit.*.v1", "oms.audit.orders.>", "oms.audit.orders.v2", "oms.audit.accounts.v1", "OMS_AUDIT",

		"$JS.API.STREAM.CREATE.OTHER", "$JS.API.STREAM.CREATE.*", "$JS.API.STREAM.UPDATE.OTHER", "$JS.API.STREAM.DELETE.OMS_EVENTS",
		"$JS.API.STREAM.PURGE.OMS_EVENTS", "$JS.API.STREAM.MSG.DELETE.OMS_EVENTS", "$JS.API.STREAM.SNAPSHOT.OMS_EVENTS",
		"$JS.API.STREAM.RESTORE.OMS_EVENTS", "$JS.API.STREAM.LEADER.STEPDOWN.OMS_EVENTS", "$JS.API.STREAM.PEER.REMOVE.OMS_EVENTS",
		"$JS.API.STREAM.NAMES", "$JS.API.STREAM.TEMPLATE.CREATE.x", "$JS.API.STREAM.>", "$JS.API.DIRECT.GET.OMS_EVENTS",
		"$JS.API.DIRECT.GET.OMS_EVENTS." + deleted, "$JS.API.ACCOUNT.PURGE.x", "$JS.API.META.LEADER.STEPDOWN",

		"$JS.API.CONSUMER.CREATE.OMS_EVENTS", "$JS.API.CONSUMER.CREATE.OMS_EVENTS.orders", "$JS.API.CONSUMER.CREATE.OMS_EVENTS.other",
		"$JS.API.CONSUMER.CREATE.OMS_EVENTS.orders.oms.events.>", "$JS.API.CONSUMER.CREATE.OMS_EVENTS.other." + deleted,
		"$JS.API.CONSUMER.CREATE.OMS_EVENTS.orders.oms.events.accounts.created.v1", "$JS.API.CONSUMER.CREATE.OTHER.orders." + deleted,
		"$JS.API.CONSUMER.CREATE.OMS_EVENTS.accounts", "$JS.API.CONSUMER.CREATE.OMS_EVENTS.accounts.oms.events.orders.>",
		"$JS.API.CONSUMER.CREATE.OMS_EVENTS.accounts." + deleted, "$JS.API.CONSUMER.CREATE.OMS_EVENTS.orders." + audited,
		"$JS.API.CONSUMER.CREATE.OMS_AUDIT.orders." + audited, "$JS.API.CONSUMER.CREATE.OMS_AUDIT.accounts.oms.audit.>",
		"$JS.API.CONSUMER.CREATE.OMS_AUDIT.accounts", "$JS.API.CONSUMER.CREATE.OMS_AUDIT", "$JS.API.CONSUMER.CREATE.OMS_EVENTS.accounts." + audited,
		"$JS.API.STREAM.UPDATE.OMS_AUDIT", "$JS.API.STREAM.MSG.GET.OMS_AUDIT", "$JS.API.DIRECT.GET.OMS_AUDIT", "$JS.API.STREAM.PURGE.OMS_AUDIT",
		"$JS.API.STREAM.DELETE.OMS_AUDIT", "$JS.API.CONSUMER.MSG.NEXT.OMS_AUDIT.orders", "$JS.ACK.OMS_AUDIT.>",
		"$JS.API.CONSUMER.DURABLE.CREATE.OMS_EVENTS.orders", "$JS.API.CONSUMER.DELETE.OMS_EVENTS.orders",
		"$JS.API.CONSUMER.PAUSE.OMS_EVENTS.orders", "$JS.API.CONSUMER.UNPIN.OMS_EVENTS.orders",
		"$JS.API.CONSUMER.LEADER.STEPDOWN.OMS_EVENTS.orders", "$JS.API.CONSUMER.NAMES.OMS_EVENTS", "$JS.API.CONSUMER.LIST.OMS_EVENTS",
		"$JS.API.CONSUMER.INFO.OMS_EVENTS.other", "$JS.API.CONSUMER.MSG.NEXT.OMS_EVENTS.other", "$JS.API.CONSUMER.MSG.NEXT.OTHER.orders",
		"$JS.API.CONSUMER.>", "$JS.ACK.OMS_EVENTS.other.1.2.3.4.5", "$JS.ACK.OTHER.orders.1.2.3.4.5", "$JS.ACK.OMS_EVENTS.>",
		"$JS.FC.OMS_EVENTS.orders.x", "$JS.SNAPSHOT.RESTORE.OMS_EVENTS.x", "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.OMS_EVENTS.orders",
	} {
		all = append(all, right{subject, may(), may()})
	}
	return all
}
