/** The operations of the clients that take them as texts. */
export const INBOX = 'query Inbox { viewer { member { id name } } }';

export const INVITE = `mutation Invite($memberId: ID!, $note: String) {
  inviteMember(input: {memberId: $memberId, note: $note}) {
    invitation { state }
    member { name relationship { status } }
    userErrors { code message }
  }
}`;

export const NOTIFICATIONS = `subscription Notifications($after: String) {
  notificationReceived(after: $after) {
    cursor
    node { sequence actor { name } ... on InvitationReceivedNotification { invitation { note } } }
  }
}`;

/** The data of a result, or its errors thrown. */
export function dataOf({ data, errors }) {
  if (errors) throw new Error(errors.map((error) => error.message).join(' '));
  return data;
}

/**
 * A client of graphql-ws or graphql-sse whose notificationReceived($after) goes on where it stopped: after a reconnect
 * both send the same request again, so its `after` moves on with every notification.
 */
export const resuming = (client) => ({
  subscribe(payload, sink) {
    const variables = { ...payload.variables };
    return client.subscribe({ ...payload, variables }, {
      next(result) {
        const cursor = result.data?.notificationReceived?.cursor;
        if (cursor) variables.after = cursor;
        sink.next(result);
      },
      error: (error) => sink.error(error),
      complete: () => sink.complete(),
    });
  },
});

/** How long to wait before trying again. */
export const backOff = (retries) => new Promise((resolve) => setTimeout(resolve, Math.min(50 * 2 ** retries, 2000)));
