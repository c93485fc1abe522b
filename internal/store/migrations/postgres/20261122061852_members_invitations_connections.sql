-- +goose Up
-- create "members" table
CREATE TABLE "members" ("id" uuid NOT NULL, "subject" text NOT NULL, "handle" text NOT NULL, "name" text NOT NULL, "email" text NULL, "headline" text NULL, "location" text NULL, "industry" text NULL, "company" text NULL, "photo_url" text NULL, "created_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create index "members_handle_key" to table: "members"
CREATE UNIQUE INDEX "members_handle_key" ON "members" ("handle");
-- create index "members_subject_key" to table: "members"
CREATE UNIQUE INDEX "members_subject_key" ON "members" ("subject");
-- create "connections" table
CREATE TABLE "connections" ("connected_at" timestamptz NOT NULL, "owner_id" uuid NOT NULL, "peer_id" uuid NOT NULL, PRIMARY KEY ("owner_id", "peer_id"), CONSTRAINT "connections_members_owner" FOREIGN KEY ("owner_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "connections_members_peer" FOREIGN KEY ("peer_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "connection_owner_id_connected_at_peer_id" to table: "connections"
CREATE INDEX "connection_owner_id_connected_at_peer_id" ON "connections" ("owner_id", "connected_at", "peer_id");
-- create "invitations" table
CREATE TABLE "invitations" ("id" uuid NOT NULL, "pair_lo" uuid NOT NULL, "pair_hi" uuid NOT NULL, "state" text NOT NULL, "flagged" boolean NOT NULL DEFAULT false, "note" text NULL, "acquaintance" text NOT NULL, "sent_at" timestamptz NOT NULL, "accepted_at" timestamptz NULL, "sender_id" uuid NOT NULL, "recipient_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "invitations_members_recipient" FOREIGN KEY ("recipient_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "invitations_members_sender" FOREIGN KEY ("sender_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "invitation_pair_lo_pair_hi" to table: "invitations"
CREATE UNIQUE INDEX "invitation_pair_lo_pair_hi" ON "invitations" ("pair_lo", "pair_hi") WHERE (state = ANY (ARRAY['pending'::text, 'ignored'::text, 'declined'::text]));
-- create index "invitation_recipient_id_state_sent_at_id" to table: "invitations"
CREATE INDEX "invitation_recipient_id_state_sent_at_id" ON "invitations" ("recipient_id", "state", "sent_at", "id") WHERE (state = ANY (ARRAY['pending'::text, 'ignored'::text, 'declined'::text]));
-- create index "invitation_sender_id_sent_at_id" to table: "invitations"
CREATE INDEX "invitation_sender_id_sent_at_id" ON "invitations" ("sender_id", "sent_at", "id") WHERE (state = ANY (ARRAY['pending'::text, 'ignored'::text, 'declined'::text]));
-- create "reinvite_bars" table
CREATE TABLE "reinvite_bars" ("declined_at" timestamptz NULL, "withdrawn_at" timestamptz NULL, "sender_id" uuid NOT NULL, "recipient_id" uuid NOT NULL, PRIMARY KEY ("sender_id", "recipient_id"), CONSTRAINT "reinvite_bars_members_recipient" FOREIGN KEY ("recipient_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "reinvite_bars_members_sender" FOREIGN KEY ("sender_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);

-- +goose Down
-- reverse: create "reinvite_bars" table
DROP TABLE "reinvite_bars";
-- reverse: create index "invitation_sender_id_sent_at_id" to table: "invitations"
DROP INDEX "invitation_sender_id_sent_at_id";
-- reverse: create index "invitation_recipient_id_state_sent_at_id" to table: "invitations"
DROP INDEX "invitation_recipient_id_state_sent_at_id";
-- reverse: create index "invitation_pair_lo_pair_hi" to table: "invitations"
DROP INDEX "invitation_pair_lo_pair_hi";
-- reverse: create "invitations" table
DROP TABLE "invitations";
-- reverse: create index "connection_owner_id_connected_at_peer_id" to table: "connections"
DROP INDEX "connection_owner_id_connected_at_peer_id";
-- reverse: create "connections" table
DROP TABLE "connections";
-- reverse: create index "members_subject_key" to table: "members"
DROP INDEX "members_subject_key";
-- reverse: create index "members_handle_key" to table: "members"
DROP INDEX "members_handle_key";
-- reverse: create "members" table
DROP TABLE "members";
