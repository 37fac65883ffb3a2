# Registers Trawl's database with Supavisor as the tenant `trawl`, or brings the registration up
# to date. Run inside Supavisor's own image, after its migrations and before its server.
#
# Fields: docs/configuration/tenants.md and users.md of Supavisor. `require_user` makes Supavisor
# check clients against the user stored here, so no query for passwords is needed in the database.

{:ok, _started} = Application.ensure_all_started(:supavisor)

setting = &System.fetch_env!/1
number = fn name -> name |> System.fetch_env!() |> String.to_integer() end

tenant = %{
  "external_id" => "trawl",
  "db_host" => setting.("TENANT_DB_HOST"),
  "db_port" => 5432,
  "db_database" => setting.("TENANT_DB_NAME"),
  "require_user" => true,
  "default_parameter_status" => %{"server_version" => setting.("TENANT_DB_VERSION")},
  "default_pool_size" => number.("TENANT_POOL_SIZE"),
  "default_max_clients" => number.("TENANT_MAX_CLIENTS"),
  "users" => [
    %{
      "db_user" => setting.("TENANT_DB_USER"),
      "db_password" => setting.("TENANT_DB_PASSWORD"),
      "mode_type" => "transaction",
      "pool_size" => number.("TENANT_POOL_SIZE"),
      "is_manager" => true
    }
  ]
}

{:ok, _tenant} =
  case Supavisor.Tenants.get_tenant_by_external_id("trawl") do
    nil -> Supavisor.Tenants.create_tenant(tenant)
    existing -> Supavisor.Tenants.update_tenant(existing, tenant)
  end
