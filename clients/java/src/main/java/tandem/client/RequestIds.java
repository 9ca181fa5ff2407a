package tandem.client;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.MethodDescriptor;
import java.util.UUID;

/**
 * Gives a {@code request_id} to commands that have none. It sits above the channel's retries, so
 * all tries carry the same one, which is what makes them safe.
 */
final class RequestIds implements ClientInterceptor {
  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void sendMessage(Q command) {
        super.sendMessage(identified(command));
      }
    };
  }

  @SuppressWarnings("unchecked") // A message's builder builds messages of its type.
  private static <Q> Q identified(Q command) {
    Message message = (Message) command;
    FieldDescriptor id = message.getDescriptorForType().findFieldByName("request_id");
    if (id == null || !"".equals(message.getField(id))) {
      return command;
    }
    return (Q) message.toBuilder().setField(id, UUID.randomUUID().toString()).build();
  }
}
