// Relay with a network layer of fetch and graphql-ws.
import relay from 'relay-runtime';
import { resuming } from '../operations.mjs';
import { socket } from '../graphql-ws.mjs';
import notificationsFragment from './__generated__/app_notifications.graphql.js';
import inboxQuery from './__generated__/appInboxQuery.graphql.js';
import inviteMutation from './__generated__/appInviteMutation.graphql.js';
import nodeQuery from './__generated__/appNodeQuery.graphql.js';
import pageQuery from './__generated__/appNotificationsPageQuery.graphql.js';
import notificationsSubscription from './__generated__/appNotificationsSubscription.graphql.js';

const { Environment, Network, Observable, RecordSource, Store } = relay;
const { commitMutation, fetchQuery, getSingularSelector, requestSubscription } = relay;

/** What is sent of an operation: its id where the compiler persisted it, else its text. */
const request = ({ id, text, name }, variables) =>
  id ? { documentId: id, operationName: name, variables } : { query: text, operationName: name, variables };

/** The same for graphql-ws, whose requests have a query always. */
const requestOnSocket = ({ id, text, name }, variables) =>
  id
    ? { query: '', extensions: { persistedQuery: { version: 1, sha256Hash: id } }, operationName: name, variables }
    : { query: text, operationName: name, variables };

export async function open({ url, session, onSocket = requestOnSocket }) {
  const closes = [];
  const client = socket(url, session, closes);
  const environment = new Environment({
    network: Network.create(
      async (operation, variables) => {
        const response = await session.fetch(`${url}/graphql`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json, application/json' },
          body: JSON.stringify(request(operation, variables)),
        });
        return response.json();
      },
      (operation, variables) =>
        Observable.create((sink) => resuming(client).subscribe(onSocket(operation, variables), sink)),
    ),
    store: new Store(new RecordSource()),
  });
  const query = (node, variables = {}) => fetchQuery(environment, node, variables, { fetchPolicy: 'network-only' }).toPromise();
  return {
    closes,
    viewer: async () => (await query(inboxQuery)).viewer,
    node: async (id) => (await query(nodeQuery, { id })).node,
    /** Loads a page of the inbox, and gives all that has been loaded of it, as usePaginationFragment does. */
    async inbox(variables) {
      const { viewer } = await query(pageQuery, variables);
      return environment.lookup(getSingularSelector(notificationsFragment, viewer)).data.notifications;
    },
    /** What the store knows under an id. */
    known: (id) => environment.getStore().getSource().get(id),
    invite: (memberId, note) =>
      new Promise((resolve, reject) => {
        commitMutation(environment, {
          mutation: inviteMutation,
          variables: { input: { memberId, note } },
          onCompleted: ({ inviteMember }, errors) => (errors ? reject(new Error(errors[0].message)) : resolve(inviteMember)),
          onError: reject,
        });
      }),
    watch(after, next, ended) {
      const { dispose } = requestSubscription(environment, {
        subscription: notificationsSubscription,
        variables: { after },
        onNext: ({ notificationReceived }) => next(notificationReceived),
        onError: ended,
        onCompleted: () => ended('completed'),
      });
      return dispose;
    },
    close: () => client.dispose(),
  };
}
