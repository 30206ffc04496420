package nginxconf
