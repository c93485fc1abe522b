// graphql-sse in distinct connections mode: every operation is a POST that is answered with server-sent events.
import { createClient } from 'graphql-sse';
import { INBOX, INVITE, NOTIFICATIONS, backOff, dataOf, resuming } from './operations.mjs';

export async function open({ url, session }) {
  const client = createClient({
    url: `${url}/graphql`,
    singleConnection: false,
    fetchFn: session.fetch,
    retryAttempts: Infinity,
    retry: backOff,
  });
  const once = async (query, variables) => {
    for await (const result of client.iterate({ query, variables })) return dataOf(result);
  };
  return {
    viewer: async () => (await once(INBOX)).viewer,
    invite: async (memberId, note) => (await once(INVITE, { memberId, note })).inviteMember,
    watch: (after, next, ended) => resuming(client).subscribe({ query: NOTIFICATIONS, variables: { after } }, {
      next: (result) => next(dataOf(result).notificationReceived),
      error: ended,
      complete: () => ended('completed'),
    }),
    close: () => client.dispose(),
  };
}
