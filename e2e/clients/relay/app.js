// What a Relay application says in its components. relay-compiler makes __generated__ of it, which client.mjs imports;
// in an application babel-plugin-relay would put these imports here.
import { graphql } from 'relay-runtime';

graphql`
  query appInboxQuery {
    viewer {
      member { id name }
      ...app_notifications
    }
  }
`;

graphql`
  fragment app_notifications on Viewer
  @refetchable(queryName: "appNotificationsPageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }) {
    unreadNotificationCount
    notifications(first: $count, after: $cursor) @connection(key: "app_notifications") {
      edges { node { id sequence actor { name } } }
    }
  }
`;

graphql`
  query appNodeQuery($id: ID!) {
    node(id: $id) { __typename id ... on Member { name } }
  }
`;

graphql`
  mutation appInviteMutation($input: InviteMemberInput!) {
    inviteMember(input: $input) {
      invitation { id state }
      member { id name relationship { id status } }
      userErrors { code message }
    }
  }
`;

graphql`
  subscription appNotificationsSubscription($after: String) {
    notificationReceived(after: $after) {
      cursor
      node { id sequence actor { name } ... on InvitationReceivedNotification { invitation { note } } }
    }
  }
`;
