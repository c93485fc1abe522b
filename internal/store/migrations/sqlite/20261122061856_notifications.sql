-- +goose Up
-- create "inboxes" table
CREATE TABLE `inboxes` (`member_id` uuid NOT NULL, `last_number` integer NOT NULL DEFAULT (0), `muted` integer NOT NULL DEFAULT (0), `paused_until` datetime NULL, PRIMARY KEY (`member_id`));
-- create "notifications" table
CREATE TABLE `notifications` (`id` uuid NOT NULL, `sequence` integer NOT NULL, `category` text NOT NULL, `actor_id` uuid NULL, `invitation_id` uuid NULL, `held` bool NOT NULL DEFAULT (false), `created_at` datetime NOT NULL, `read_at` datetime NULL, `member_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `notifications_inboxes_notifications` FOREIGN KEY (`member_id`) REFERENCES `inboxes` (`member_id`) ON DELETE CASCADE);
-- create index "notification_member_id_sequence" to table: "notifications"
CREATE UNIQUE INDEX `notification_member_id_sequence` ON `notifications` (`member_id`, `sequence`);
-- create index "notification_unread" to table: "notifications"
CREATE INDEX `notification_unread` ON `notifications` (`member_id`, `sequence`) WHERE read_at IS NULL;
-- create index "notification_invitation_id" to table: "notifications"
CREATE INDEX `notification_invitation_id` ON `notifications` (`invitation_id`);
-- create "preferences" table
CREATE TABLE `preferences` (`member_id` uuid NOT NULL, `settings` json NOT NULL, `time_zone` text NOT NULL DEFAULT ('UTC'), PRIMARY KEY (`member_id`));
-- members from before have an inbox, too
INSERT INTO `inboxes` (`member_id`) SELECT `id` FROM `members`;

-- +goose Down
-- reverse: create "preferences" table
DROP TABLE `preferences`;
-- reverse: create index "notification_invitation_id" to table: "notifications"
DROP INDEX `notification_invitation_id`;
-- reverse: create index "notification_unread" to table: "notifications"
DROP INDEX `notification_unread`;
-- reverse: create index "notification_member_id_sequence" to table: "notifications"
DROP INDEX `notification_member_id_sequence`;
-- reverse: create "notifications" table
DROP TABLE `notifications`;
-- reverse: create "inboxes" table
DROP TABLE `inboxes`;
