-- +goose Up
-- add columns to table: "invitations"
ALTER TABLE `invitations` ADD COLUMN `reminders` integer NOT NULL DEFAULT 0;
ALTER TABLE `invitations` ADD COLUMN `reminded_at` datetime NULL;
ALTER TABLE `invitations` ADD COLUMN `listed_at` datetime NULL;
ALTER TABLE `invitations` ADD COLUMN `conversation_id` uuid NULL;
UPDATE `invitations` SET `listed_at` = `sent_at`;
DROP INDEX `invitation_recipient_id_state_sent_at_id`;
-- create index "invitation_recipient_id_state_listed_at_id" to table: "invitations"
CREATE INDEX `invitation_recipient_id_state_listed_at_id` ON `invitations` (`recipient_id`, `state`, `listed_at`, `id`) WHERE state IN ('pending', 'ignored', 'declined');
-- create index "invitation_window" to table: "invitations"
CREATE INDEX `invitation_window` ON `invitations` (`sender_id`, `sent_at`);
-- create index "invitation_expiry" to table: "invitations"
CREATE INDEX `invitation_expiry` ON `invitations` (`sent_at`) WHERE state IN ('pending', 'ignored', 'declined');
-- add columns to table: "members"
ALTER TABLE `members` ADD COLUMN `who_can_invite` text NOT NULL DEFAULT 'everyone';
ALTER TABLE `members` ADD COLUMN `who_sees_connections` text NOT NULL DEFAULT 'connections';
ALTER TABLE `members` ADD COLUMN `who_sees_profile` text NOT NULL DEFAULT 'everyone';
ALTER TABLE `members` ADD COLUMN `share_email` bool NOT NULL DEFAULT false;
ALTER TABLE `members` ADD COLUMN `in_block` bool NOT NULL DEFAULT false;
ALTER TABLE `members` ADD COLUMN `suspended_at` datetime NULL;
ALTER TABLE `members` ADD COLUMN `erased_at` datetime NULL;
ALTER TABLE `members` ADD COLUMN `erasing` bool NOT NULL DEFAULT false;
-- add columns to table: "inboxes"
ALTER TABLE `inboxes` ADD COLUMN `last_change` integer NOT NULL DEFAULT 0;
-- add columns to table: "notifications"
ALTER TABLE `notifications` ADD COLUMN `message_id` uuid NULL;
ALTER TABLE `notifications` ADD COLUMN `publication_id` uuid NULL;
ALTER TABLE `notifications` ADD COLUMN `reminder` bool NOT NULL DEFAULT false;
-- create "blocks" table
CREATE TABLE `blocks` (`blocked_at` datetime NOT NULL, `blocker_id` uuid NOT NULL, `blocked_id` uuid NOT NULL, PRIMARY KEY (`blocker_id`, `blocked_id`), CONSTRAINT `blocks_members_blocker` FOREIGN KEY (`blocker_id`) REFERENCES `members` (`id`) ON DELETE NO ACTION, CONSTRAINT `blocks_members_blocked` FOREIGN KEY (`blocked_id`) REFERENCES `members` (`id`) ON DELETE NO ACTION);
-- create index "block_blocker_id_blocked_at_blocked_id" to table: "blocks"
CREATE INDEX `block_blocker_id_blocked_at_blocked_id` ON `blocks` (`blocker_id`, `blocked_at`, `blocked_id`);
-- create index "block_blocked_id_blocker_id" to table: "blocks"
CREATE INDEX `block_blocked_id_blocker_id` ON `blocks` (`blocked_id`, `blocker_id`);
-- create "conversations" table
CREATE TABLE `conversations` (`id` uuid NOT NULL, `pair_lo` uuid NOT NULL, `pair_hi` uuid NOT NULL, `last_number` integer NOT NULL DEFAULT (0), PRIMARY KEY (`id`));
-- create index "conversation_pair_lo_pair_hi" to table: "conversations"
CREATE UNIQUE INDEX `conversation_pair_lo_pair_hi` ON `conversations` (`pair_lo`, `pair_hi`);
-- create "feed_entries" table
CREATE TABLE `feed_entries` (`id` uuid NOT NULL, `member_id` uuid NOT NULL, `number` integer NOT NULL, `kind` text NOT NULL, `other_id` uuid NULL, `invitation_id` uuid NULL, `message_id` uuid NULL, PRIMARY KEY (`id`));
-- create index "feedentry_member_id_number" to table: "feed_entries"
CREATE UNIQUE INDEX `feedentry_member_id_number` ON `feed_entries` (`member_id`, `number`);
-- create "flags" table
CREATE TABLE `flags` (`flagged_at` datetime NOT NULL, `recipient_id` uuid NOT NULL, `sender_id` uuid NOT NULL, PRIMARY KEY (`recipient_id`, `sender_id`), CONSTRAINT `flags_members_recipient` FOREIGN KEY (`recipient_id`) REFERENCES `members` (`id`) ON DELETE NO ACTION, CONSTRAINT `flags_members_sender` FOREIGN KEY (`sender_id`) REFERENCES `members` (`id`) ON DELETE NO ACTION);
-- create index "flag_sender_id_flagged_at" to table: "flags"
CREATE INDEX `flag_sender_id_flagged_at` ON `flags` (`sender_id`, `flagged_at`);
-- flags of the version before stood in the invitations alone
INSERT INTO `flags` (`recipient_id`, `sender_id`, `flagged_at`) SELECT `recipient_id`, `sender_id`, MAX(`sent_at`) FROM `invitations` WHERE `flagged` GROUP BY `recipient_id`, `sender_id`;
-- create "messages" table
CREATE TABLE `messages` (`id` uuid NOT NULL, `conversation_id` uuid NOT NULL, `number` integer NOT NULL, `sender_id` uuid NOT NULL, `body` text NOT NULL, `client_key` text NULL, `sent_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "message_conversation_id_number" to table: "messages"
CREATE UNIQUE INDEX `message_conversation_id_number` ON `messages` (`conversation_id`, `number`);
-- create index "message_sender_id_client_key" to table: "messages"
CREATE UNIQUE INDEX `message_sender_id_client_key` ON `messages` (`sender_id`, `client_key`) WHERE client_key IS NOT NULL;
-- create "participants" table
CREATE TABLE `participants` (`other_id` uuid NOT NULL, `last_message_at` datetime NOT NULL, `read_through` integer NOT NULL DEFAULT (0), `member_id` uuid NOT NULL, `conversation_id` uuid NOT NULL, PRIMARY KEY (`member_id`, `conversation_id`), CONSTRAINT `participants_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE NO ACTION, CONSTRAINT `participants_conversations_conversation` FOREIGN KEY (`conversation_id`) REFERENCES `conversations` (`id`) ON DELETE NO ACTION);
-- create index "participant_member_id_last_message_at_conversation_id" to table: "participants"
CREATE INDEX `participant_member_id_last_message_at_conversation_id` ON `participants` (`member_id`, `last_message_at`, `conversation_id`);
-- create "profiles" table
CREATE TABLE `profiles` (`member_id` uuid NOT NULL, `about` text NULL, `positions` json NOT NULL, `education` json NOT NULL, `skills` json NOT NULL, `languages` json NOT NULL, `interests` json NOT NULL, PRIMARY KEY (`member_id`));
-- create "publications" table
CREATE TABLE `publications` (`id` uuid NOT NULL, `key` text NOT NULL, `fingerprint` blob NOT NULL, `actor_id` uuid NULL, `title` text NOT NULL, `body` text NULL, `url` text NULL, `published` integer NOT NULL, `published_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "publications_key_key" to table: "publications"
CREATE UNIQUE INDEX `publications_key_key` ON `publications` (`key`);
-- create "reports" table
CREATE TABLE `reports` (`id` uuid NOT NULL, `reporter_id` uuid NOT NULL, `reported_id` uuid NOT NULL, `reason` text NOT NULL, `details` text NULL, `created_at` datetime NOT NULL, `resolved_at` datetime NULL, `resolution` text NULL, PRIMARY KEY (`id`));
-- create index "report_open" to table: "reports"
CREATE INDEX `report_open` ON `reports` (`created_at`, `id`) WHERE resolved_at IS NULL;
-- create "restrictions" table
CREATE TABLE `restrictions` (`member_id` uuid NOT NULL, `warned` bool NOT NULL DEFAULT (false), `restricted_until` datetime NULL, `restricted_at` datetime NULL, PRIMARY KEY (`member_id`));
-- create "tasks" table
CREATE TABLE `tasks` (`name` text NOT NULL, `holder` text NOT NULL DEFAULT (''), `leased_until` datetime NULL, `finished_at` datetime NULL, PRIMARY KEY (`name`));
-- create index "invitation_recipient" to table: "invitations"
CREATE INDEX `invitation_recipient` ON `invitations` (`recipient_id`);
-- create index "member_erased_at" to table: "members"
CREATE INDEX `member_erased_at` ON `members` (`erased_at`) WHERE erased_at IS NOT NULL;
-- create index "member_erasing" to table: "members"
CREATE INDEX `member_erasing` ON `members` (`id`) WHERE erasing;
-- create index "member_suspended_at" to table: "members"
CREATE INDEX `member_suspended_at` ON `members` (`suspended_at`) WHERE suspended_at IS NOT NULL;
-- create index "notification_published" to table: "notifications"
CREATE INDEX `notification_published` ON `notifications` (`actor_id`) WHERE publication_id IS NOT NULL;
-- create index "publication_actor_id" to table: "publications"
CREATE INDEX `publication_actor_id` ON `publications` (`actor_id`) WHERE actor_id IS NOT NULL;
-- create index "reinvitebar_recipient_id" to table: "reinvite_bars"
CREATE INDEX `reinvitebar_recipient_id` ON `reinvite_bars` (`recipient_id`);
-- create index "report_all" to table: "reports"
CREATE INDEX `report_all` ON `reports` (`created_at`, `id`);
-- create index "report_reporter_id_reported_id" to table: "reports"
CREATE INDEX `report_reporter_id_reported_id` ON `reports` (`reporter_id`, `reported_id`);

-- +goose Down
-- reverse: create index "report_reporter_id_reported_id" to table: "reports"
DROP INDEX `report_reporter_id_reported_id`;
-- reverse: create index "report_all" to table: "reports"
DROP INDEX `report_all`;
-- reverse: create index "reinvitebar_recipient_id" to table: "reinvite_bars"
DROP INDEX `reinvitebar_recipient_id`;
-- reverse: create index "publication_actor_id" to table: "publications"
DROP INDEX `publication_actor_id`;
-- reverse: create index "notification_published" to table: "notifications"
DROP INDEX `notification_published`;
-- reverse: create index "member_suspended_at" to table: "members"
DROP INDEX `member_suspended_at`;
-- reverse: create index "member_erasing" to table: "members"
DROP INDEX `member_erasing`;
-- reverse: create index "member_erased_at" to table: "members"
DROP INDEX `member_erased_at`;
-- reverse: create index "invitation_recipient" to table: "invitations"
DROP INDEX `invitation_recipient`;
-- reverse: create "tasks" table
DROP TABLE `tasks`;
-- reverse: create "restrictions" table
DROP TABLE `restrictions`;
-- reverse: create index "report_open" to table: "reports"
DROP INDEX `report_open`;
-- reverse: create "reports" table
DROP TABLE `reports`;
-- reverse: create index "publications_key_key" to table: "publications"
DROP INDEX `publications_key_key`;
-- reverse: create "publications" table
DROP TABLE `publications`;
-- reverse: create "profiles" table
DROP TABLE `profiles`;
-- reverse: create index "participant_member_id_last_message_at_conversation_id" to table: "participants"
DROP INDEX `participant_member_id_last_message_at_conversation_id`;
-- reverse: create "participants" table
DROP TABLE `participants`;
-- reverse: create index "message_sender_id_client_key" to table: "messages"
DROP INDEX `message_sender_id_client_key`;
-- reverse: create index "message_conversation_id_number" to table: "messages"
DROP INDEX `message_conversation_id_number`;
-- reverse: create "messages" table
DROP TABLE `messages`;
-- reverse: create index "flag_sender_id_flagged_at" to table: "flags"
DROP INDEX `flag_sender_id_flagged_at`;
-- reverse: create "flags" table
DROP TABLE `flags`;
-- reverse: create index "feedentry_member_id_number" to table: "feed_entries"
DROP INDEX `feedentry_member_id_number`;
-- reverse: create "feed_entries" table
DROP TABLE `feed_entries`;
-- reverse: create index "conversation_pair_lo_pair_hi" to table: "conversations"
DROP INDEX `conversation_pair_lo_pair_hi`;
-- reverse: create "conversations" table
DROP TABLE `conversations`;
-- reverse: create index "block_blocked_id_blocker_id" to table: "blocks"
DROP INDEX `block_blocked_id_blocker_id`;
-- reverse: create index "block_blocker_id_blocked_at_blocked_id" to table: "blocks"
DROP INDEX `block_blocker_id_blocked_at_blocked_id`;
-- reverse: create "blocks" table
DROP TABLE `blocks`;
-- reverse: add columns to table: "notifications"
ALTER TABLE `notifications` DROP COLUMN `reminder`;
ALTER TABLE `notifications` DROP COLUMN `publication_id`;
ALTER TABLE `notifications` DROP COLUMN `message_id`;
-- reverse: add columns to table: "inboxes"
ALTER TABLE `inboxes` DROP COLUMN `last_change`;
-- reverse: add columns to table: "members"
ALTER TABLE `members` DROP COLUMN `erasing`;
ALTER TABLE `members` DROP COLUMN `erased_at`;
ALTER TABLE `members` DROP COLUMN `suspended_at`;
ALTER TABLE `members` DROP COLUMN `in_block`;
ALTER TABLE `members` DROP COLUMN `share_email`;
ALTER TABLE `members` DROP COLUMN `who_sees_profile`;
ALTER TABLE `members` DROP COLUMN `who_sees_connections`;
ALTER TABLE `members` DROP COLUMN `who_can_invite`;
-- reverse: add columns to table: "invitations"
DROP INDEX `invitation_expiry`;
DROP INDEX `invitation_window`;
DROP INDEX `invitation_recipient_id_state_listed_at_id`;
ALTER TABLE `invitations` DROP COLUMN `conversation_id`;
ALTER TABLE `invitations` DROP COLUMN `listed_at`;
ALTER TABLE `invitations` DROP COLUMN `reminded_at`;
ALTER TABLE `invitations` DROP COLUMN `reminders`;
CREATE INDEX `invitation_recipient_id_state_sent_at_id` ON `invitations` (`recipient_id`, `state`, `sent_at`, `id`) WHERE state IN ('pending', 'ignored', 'declined');
