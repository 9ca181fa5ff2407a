// Deadlines and retries: proto/service_config.json, put here by gen.sh. Do not edit.
export const serviceConfig = {
  "loadBalancingConfig": [{ "round_robin": {} }],
  "methodConfig": [
    {
      "name": [
        { "service": "tandem.v1.CommandService" },
        { "service": "tandem.v1.QueryService" }
      ],
      "timeout": "10s",
      "retryPolicy": {
        "maxAttempts": 5,
        "initialBackoff": "0.25s",
        "maxBackoff": "4s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"]
      }
    },
    {
      "name": [
        { "service": "tandem.v1.QueryService", "method": "WatchCustomerOrders" },
        { "service": "tandem.v1.QueryService", "method": "WatchRouting" }
      ]
    }
  ]
} as const;
